import { delimiter, dirname, join } from 'node:path';
import { REPOSITORY } from './directories';

const SUPERSET = join(REPOSITORY, 'superset');

/** What stands for the image: a Python environment from the same lock, and the environment that the Dockerfile sets. */
export interface SupersetImage {
  /** The Python of the environment. */
  readonly python: string;
  /** Authorities of this machine's servers, in place of those of AWS. */
  readonly caFile: string;
}

/** Variables of a container of the image whose home is a directory. */
export function imageEnvironment({ python, caFile }: SupersetImage, home: string): Record<string, string> {
  return {
    PATH: [dirname(python), process.env.PATH].join(delimiter),
    LANG: 'C.UTF-8',
    HOME: home,
    PYTHONPATH: SUPERSET,
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    SUPERSET_CONFIG_PATH: join(SUPERSET, 'superset_config.py'),
    SUPERSET_HOME: home,
    PGSSLROOTCERT: caFile,
    // What the operating system of the image trusts.
    SSL_CERT_FILE: caFile,
  };
}
