import { Token } from 'aws-cdk-lib';
import { Path, Problem, valueText } from '../validation/problem';
import { propertyProblems } from '../validation/schema';
import { isUnsafeExtension } from './unsafe-extensions';

/** What is wrong with the schema of tenants' tables, and with the extensions of their databases, given to a construct. */
export function dataProblems(
  data: { readonly schema?: string; readonly extensions?: readonly string[] },
  schemaPath: Path = ['schema'],
): Problem[] {
  return [
    ...propertyProblems('EnvironmentData', 'schema', data.schema, schemaPath),
    ...reservedSchema(data.schema, schemaPath),
    ...propertyProblems('EnvironmentData', 'extensions', data.extensions, ['extensions']),
    ...extensionProblems(data.extensions, ['extensions']),
  ];
}

/** Schemas of PostgreSQL and of this library. Everybody may look into `public`, which RDS makes in every database. */
export function reservedSchema(schema: unknown, path: Path): Problem[] {
  if (typeof schema !== 'string' || Token.isUnresolved(schema)) return [];
  if (!/^(pg_|information_schema$|public$|tenancy|tenant_)/.test(schema)) return [];
  return [
    {
      path,
      code: 'SCHEMA_RESERVED',
      fault: `is ${valueText(schema)}, a schema of PostgreSQL or of this library`,
      remedy: 'give the tables a schema of their own, for instance analytics',
    },
  ];
}

/** Extensions that do not exist by their name, or that no tenant's database may have. */
export function extensionProblems(given: unknown, path: Path): Problem[] {
  return (Array.isArray(given) ? given : []).flatMap((name, index): Problem[] => {
    if (typeof name !== 'string' || Token.isUnresolved(name)) return [];
    const here = [...path, index];
    if (!/^[a-z][a-z0-9_-]{0,62}$/.test(name)) {
      return [
        { path: here, code: 'EXTENSION_INVALID', fault: `is ${valueText(name)}`, allowed: 'the name of an extension' },
      ];
    }
    if (!isUnsafeExtension(name)) return [];
    return [
      {
        path: here,
        code: 'EXTENSION_UNSAFE',
        fault: `is ${valueText(name)}, which leads out of a tenant's database, or runs what a tenant likes in the server`,
        remedy: 'take it out',
      },
    ];
  });
}
