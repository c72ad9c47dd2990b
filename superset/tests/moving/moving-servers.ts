// Where a tenant is moved to, for the tests in Python: two environments in which it has a database of its own, each with a server
// and a Secrets Manager, and an S3 in between. Prints one line of JSON when all is there, and ends with its standard input, whose
// first line is the secrets that both environments have besides.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { reconcileDatabases } from '../../../lib/provisioning/handler/per-tenant/reconcile-databases';
import { startEmulator } from '../../../local/emulator';
import { freePort } from '../../../local/ports';
import { ensureEmulatorPython, findPython } from '../../../local/python';
import { startServers } from '../../../test/provisioning/per-tenant-servers';
import { startSecretsManager } from '../../../test/provisioning/secrets-manager';

/** Tenants by environment: the mover, with a neighbour on the same server, and alone. */
const TENANTS = { database: ['tk4q9w', 'tz81mm'], instance: ['tk4q9w'] };

async function main(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tenancy-moving-'));
  const print = console.log;
  console.log = console.error;
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const others = Object.entries(JSON.parse((await lines.next()).value as string) as Record<string, object>);
  const python = await ensureEmulatorPython(findPython(), join(directory, 'python.log'));
  const emulator = await startEmulator({
    python,
    directory,
    port: await freePort('--emulator-port'),
    account: '123456789012',
    region: 'eu-central-1',
    databaseCaFile: '',
    hasEcsAgent: false,
  });
  const servers = await startServers(17, 2);
  const environments: Record<string, object> = {};
  for (const [index, [name, tenants]] of Object.entries(TENANTS).entries()) {
    const server = servers.names[index];
    const only = servers.servers().filter((it) => it.name === server);
    const desired = servers.desired(
      tenants.map((id) => ({ id, server, loader: true })),
      { servers: only },
    );
    await reconcileDatabases(desired);
    // An environment of its own, so secrets of its own, under names with a prefix.
    const { secrets, environment } = await startSecretsManager();
    for (const [secret, value] of [...servers.secrets, ...others]) {
      const name = secret.startsWith('superset/') ? `target/${secret}` : secret;
      secrets.set(name, value as Record<string, string>);
    }
    for (const secret of [...servers.secrets.keys()]) {
      if (secret.startsWith('superset/')) servers.secrets.delete(secret);
    }
    const { host, port, superuser } = servers.serverOf(server);
    environments[name] = {
      AWS_ENDPOINT_URL_SECRETS_MANAGER: environment.AWS_ENDPOINT_URL_SECRETS_MANAGER,
      superuser: { host, port, user: superuser.username, password: superuser.password },
    };
  }
  const authorities = join(directory, 'authorities.pem');
  writeFileSync(
    authorities,
    servers.names.map((name) => readFileSync(servers.serverOf(name).caFile, 'utf8')).join('\n'),
  );
  print(JSON.stringify({ s3: emulator.endpoint, authorities, environments }));
  await lines.next();
  await servers.stop();
  await emulator.stop();
  rmSync(directory, { recursive: true, force: true });
  process.exit(0);
}

void main();
