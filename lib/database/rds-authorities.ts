import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack, Token } from 'aws-cdk-lib';
import { IConstruct } from 'constructs';
import { Path, Problem, valueText } from '../validation/problem';
import { refuse } from '../validation/refuse';

/** What Superset's image trusts; the provisioner's function trusts the same certificates. */
const BUNDLE = join(__dirname, '..', '..', 'superset', 'rds-global-bundle.pem');

/** Common name of the authority that the certificates of our servers lead to (`rds-ca-rsa2048-g1`). */
const ROOT = /CN=Amazon RDS ([a-z0-9-]+) Root CA RSA2048 G1$/m;

let known: ReadonlySet<string> | undefined;

/** Regions whose PostgreSQL servers this version of the library can verify. */
export function regionsWithRoot(): ReadonlySet<string> {
  known ??= new Set(
    (readFileSync(BUNDLE, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).flatMap(
      (certificate) => ROOT.exec(new X509Certificate(certificate).subject)?.[1] ?? [],
    ),
  );
  return known;
}

/** A region in which no connection to PostgreSQL could be verified, so that each would fail. */
export function regionRootProblems(region: string, path: Path): Problem[] {
  if (Token.isUnresolved(region) || regionsWithRoot().has(region)) return [];
  return [
    {
      path,
      code: 'REGION_WITHOUT_RDS_ROOT',
      fault: `is ${valueText(region)}, for which this library has no root certificate of RDS: every connection to PostgreSQL would fail`,
      allowed: [...regionsWithRoot()].sort().join(', '),
      remedy:
        'take one of these; or a version of this library whose certificates have it (China and GovCloud have bundles of their own: RDS User Guide, "Using SSL/TLS to encrypt a connection to a DB instance")',
    },
  ];
}

/** Refuses what connects to PostgreSQL, where no connection could be verified. A region that is not known yet is not judged. */
export function refuseWithoutRoot(scope: IConstruct): void {
  refuse(scope, regionRootProblems(Stack.of(scope).region, ['region']));
}
