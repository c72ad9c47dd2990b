import { Stack, Token } from 'aws-cdk-lib';
import * as acm from 'aws-cdk-lib/aws-certificatemanager';
import { IConstruct } from 'constructs';
import { Path, Problem } from '../validation/problem';
import { propertyProblems } from '../validation/schema';

/** What is wrong with the certificate of a load balancer in the stack of a construct. */
export function certificateProblems(scope: IConstruct, certificate: acm.ICertificate, path: Path): Problem[] {
  const { certificateArn } = certificate;
  const { region, account } = Stack.of(scope);
  const known = (value: string) => (Token.isUnresolved(value) ? undefined : value);
  return [
    ...propertyProblems('EnvironmentDomain', 'certificateArn', certificateArn, path),
    ...certificatePlaceProblems(known(certificateArn), path, { region: known(region), account: known(account) }),
  ];
}

/** A certificate in another region or account than the load balancer, as far as these are known. */
export function certificatePlaceProblems(
  given: string | undefined,
  path: Path,
  wanted: { readonly region?: string; readonly account?: string },
): Problem[] {
  const [arn, region, account] = /^arn:[^:]+:acm:([^:]+):([^:]+):/.exec(given ?? '') ?? [];
  if (arn === undefined) return [];
  return Object.entries({ region, account }).flatMap(([key, theirs]): Problem[] => {
    const ours = wanted[key as keyof typeof wanted];
    if (ours === undefined || ours === theirs) return [];
    return [
      {
        path,
        code: `CERTIFICATE_${key.toUpperCase()}`,
        fault: `is in ${key} ${theirs}, but the load balancer is in ${ours}`,
        allowed: `a certificate in ${key} ${ours}`,
        remedy: `request it there, or mend ${key}`,
      },
    ];
  });
}
