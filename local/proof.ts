import { escapeIdentifier as identifier, escapeLiteral as literal } from 'pg';
import { TableStrategy } from '../lib/database/tenant-table';
import { Environment, EnvironmentData } from '../lib/environment/environment';
import { tenantSchemaName } from '../lib/provisioning/desired-state';
import { Tenant } from '../lib/tenant/tenant';
import { attemptsAgainst, failureOf } from './attempts';
import { Login, connect } from './login';

/** What one tenant was seen to read, and what it tried. */
export interface TenantProof {
  readonly tenant: Tenant;
  readonly login: Login;
  /** Rows that the tenant counts, by table. */
  readonly counted: Record<string, number>;
  /** What the tenant tried against another, and what PostgreSQL refused or answered with nothing. */
  readonly attempts: string[];
  /** What is wrong. */
  readonly failures: string[];
}

/** Proves for each tenant that it reads its own rows, and none of another's. */
export async function proveTenants(
  { tenants, data }: Environment,
  logins: ReadonlyMap<string, Login>,
  loader: Login,
): Promise<TenantProof[]> {
  const proofs: TenantProof[] = [];
  for (const [i, tenant] of tenants.entries()) {
    const victim = tenants.length > 1 ? tenants[(i + 1) % tenants.length] : undefined;
    proofs.push(await proveTenant(tenant, victim, data, loginOf(logins, tenant), loader));
  }
  return proofs;
}

/** Throws unless each tenant is refused each declared table. */
export async function expectUnreadable(
  { tenants, data }: Environment,
  logins: ReadonlyMap<string, Login>,
): Promise<void> {
  for (const tenant of tenants) {
    for (const { name } of data.tables) {
      const table = `${identifier(data.schema ?? 'analytics')}.${identifier(name)}`;
      const sql = `SELECT count(*) FROM ${table}`;
      const failure = await failureOf({ what: `read ${name}`, sql, mustBe: 'refused' }, loginOf(logins, tenant));
      if (failure) {
        throw new Error(`tenant ${tenant.id} and the unprotected table ${name}: the read ${failure}`);
      }
    }
  }
}

function loginOf(logins: ReadonlyMap<string, Login>, { id }: Tenant): Login {
  const login = logins.get(id);
  if (!login) {
    throw new Error(`tenant ${id} has no login`);
  }
  return login;
}

/** The tenant must count its own rows, and no attempt on another tenant's may succeed. */
async function proveTenant(
  tenant: Tenant,
  victim: Tenant | undefined,
  data: EnvironmentData,
  login: Login,
  loader: Login,
): Promise<TenantProof> {
  const counted = await count(tenant, data, login, false);
  const existing = await count(tenant, data, loader, true);
  const failures = data.tables
    .filter(({ name }) => counted[name] !== existing[name] || existing[name] === 0)
    .map(({ name }) => `counts ${counted[name]} rows of ${name}, but owns ${existing[name]}`);
  const attempts = victim ? attemptsAgainst(victim, data) : [];
  for (const attempt of attempts) {
    const failure = await failureOf(attempt, login);
    if (failure) {
      failures.push(`the attempt on ${victim?.id} to ${attempt.what} ${failure}`);
    }
  }
  return { tenant, login, counted, attempts: attempts.map(({ what }) => what), failures };
}

/** Rows of a tenant by table: all that the login sees, or those that carry the tenant's value. */
async function count(
  tenant: Tenant,
  { schema = 'analytics', tables, tenantColumn }: EnvironmentData,
  login: Login,
  byValue: boolean,
): Promise<Record<string, number>> {
  const client = await connect(login);
  try {
    const counted: Record<string, number> = {};
    for (const { name, strategy } of tables) {
      const own = strategy === TableStrategy.SCHEMA;
      const table = `${identifier(own ? tenantSchemaName(tenant.id) : schema)}.${identifier(name)}`;
      const where = byValue && !own ? ` WHERE ${identifier(tenantColumn.name)} = ${literal(tenant.value)}` : '';
      const { rows } = await client.query<{ count: string }>(`SELECT count(*) FROM ${table}${where}`);
      counted[name] = Number(rows[0].count);
    }
    return counted;
  } finally {
    await client.end();
  }
}
