import { createHash } from 'node:crypto';
import { AccessKey } from './iam-token';

/** The credentials under which the emulator takes calls of a role: `give_session` of emulator_iam.py derives the same. */
export function roleSession(roleArn: string): Required<AccessKey> {
  const digest = (kind: string) => createHash('sha256').update(`${kind}:${roleArn}`).digest('hex');
  return {
    accessKeyId: `ASIA${digest('key').slice(0, 16).toUpperCase()}`,
    secretAccessKey: digest('secret'),
    sessionToken: digest('token'),
  };
}
