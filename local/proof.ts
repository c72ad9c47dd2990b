import { escapeIdentifier as identifier } from 'pg';
import { Attempt, attemptsAgainst, failureOf } from './attempts';
import { attemptsOnDatabase } from './database-attempts';
import { Login, connect } from './login';
import { hasDatabases, hasTenantColumn, isRowOf, tableOf } from './tenant-tables';
import { ExampleEnvironment, ExampleTenant } from './example-environment';

/** What one tenant was seen to read, and what it tried. */
export interface TenantProof {
  readonly tenant: ExampleTenant;
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
  environment: ExampleEnvironment,
  logins: ReadonlyMap<string, Login>,
  loaders: ReadonlyMap<string, Login>,
): Promise<TenantProof[]> {
  const { tenants } = environment;
  const proofs: TenantProof[] = [];
  for (const [i, tenant] of tenants.entries()) {
    const login = loginOf(logins, tenant);
    const victim = tenants.length > 1 ? tenants[(i + 1) % tenants.length] : undefined;
    const attempts = victim ? attemptsOn(victim, loginOf(logins, victim), tenant, login, environment) : [];
    const proof = await proveTenant(tenant, environment, login, loginOf(loaders, tenant));
    proofs.push(await makeAttempts(proof, attempts, victim));
  }
  return proofs;
}

function attemptsOn(
  victim: ExampleTenant,
  its: Login,
  tenant: ExampleTenant,
  own: Login,
  environment: ExampleEnvironment,
): Attempt[] {
  return hasDatabases(environment)
    ? attemptsOnDatabase(victim, its, tenant, own, environment)
    : attemptsAgainst(victim, environment.data);
}

/** Throws unless each tenant is refused each declared table. */
export async function expectUnreadable(
  { tenants, data }: ExampleEnvironment,
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

function loginOf(logins: ReadonlyMap<string, Login>, { id }: ExampleTenant): Login {
  const login = logins.get(id);
  if (!login) {
    throw new Error(`tenant ${id} has no login`);
  }
  return login;
}

/** The tenant must count its own rows. */
async function proveTenant(
  tenant: ExampleTenant,
  environment: ExampleEnvironment,
  login: Login,
  loader: Login,
): Promise<TenantProof> {
  const counted = await count(tenant, environment, login, false);
  const existing = await count(tenant, environment, loader, true);
  const failures = environment.data.tables
    .filter(({ name }) => counted[name] !== existing[name] || existing[name] === 0)
    .map(({ name }) => `counts ${counted[name]} rows of ${name}, but owns ${existing[name]}`);
  return { tenant, login, counted, attempts: [], failures };
}

/** No attempt on another tenant's rows may succeed. */
async function makeAttempts(proof: TenantProof, attempts: Attempt[], victim?: ExampleTenant): Promise<TenantProof> {
  const failures: string[] = [];
  for (const attempt of attempts) {
    const failure = await failureOf(attempt, proof.login);
    if (failure) {
      failures.push(`the attempt on ${victim?.id} to ${attempt.what} ${failure}`);
    }
  }
  return { ...proof, attempts: attempts.map(({ what }) => what), failures: [...proof.failures, ...failures] };
}

/** Rows of a tenant by table: all that the login sees, or those that carry the tenant's value. */
async function count(
  tenant: ExampleTenant,
  environment: ExampleEnvironment,
  login: Login,
  byValue: boolean,
): Promise<Record<string, number>> {
  const client = await connect(login);
  try {
    const counted: Record<string, number> = {};
    for (const table of environment.data.tables) {
      const where = byValue && hasTenantColumn(table) ? ` WHERE ${isRowOf(tenant, environment)}` : '';
      const sql = `SELECT count(*) FROM ${tableOf(tenant, table, environment)}${where}`;
      const { rows } = await client.query<{ count: string }>(sql);
      counted[table.name] = Number(rows[0].count);
    }
    return counted;
  } finally {
    await client.end();
  }
}
