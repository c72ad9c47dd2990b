import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deploy } from '../../local/deployment';
import { LocalCloud } from '../../local/local-cloud';
import { Problem } from '../../local/problem';

// CloudFormation waits half an hour for a task that ECS cannot tell of.
jest.mock('../../local/cdk', () => ({ cdk: () => new Promise(() => undefined) }));

test('a part that dies ends a deployment at once with its reason, such as a log that a role may not write', async () => {
  const assembly = mkdtempSync(join(tmpdir(), 'deployment-'));
  writeFileSync(join(assembly, 'manifest.json'), '{"artifacts": {}}');
  const refusal = new Problem('ECS cannot be told (not authorized to perform: logs:CreateLogStream).', 'Start again.');
  const cloud = { emulator: { setServers: () => undefined }, options: {}, shards: [], proxies: new Map(), log: String };

  const deployment = deploy({ ...cloud, died: Promise.reject(refusal) } as unknown as LocalCloud, assembly);
  await expect(deployment).rejects.toThrow('not authorized to perform: logs:CreateLogStream');
  rmSync(assembly, { recursive: true });
});
