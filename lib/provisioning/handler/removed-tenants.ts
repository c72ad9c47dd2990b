import { DesiredState, LOADER_ROLE, TENANTS_ROLE, tenantRoleName, tenantSchemaName } from '../desired-state';
import { readPartitions } from './partitions';
import { ProvisioningError, ProvisioningFailures, asProvisioningError } from './provisioning-error';
import { Change, Session } from './session';
import { Sql, identifier, literal, sql } from './sql';

const STEP = 'removal';

interface RemovedTenant {
  readonly id: string;
  readonly value: string;
  readonly policy: 'retain' | 'destroy';
  readonly roleExists: boolean;
}

/**
 * Ends the logins of tenants that this batch once made and no longer asks for. Their rows stay, unless the tenant was
 * deployed with `destroy` before.
 */
export async function endRemovedTenants(master: Session, desired: DesiredState): Promise<Change[]> {
  const removed = await master.rows<RemovedTenant>(
    `SELECT t.id, t.value::text AS value, t.removal_policy AS policy, r.oid IS NOT NULL AS "roleExists"
       FROM tenancy.tenant t LEFT JOIN pg_roles r ON r.rolname = t.role
      WHERE t.batch = $1 AND t.active AND t.id <> ALL ($2) ORDER BY t.id`,
    [desired.batch, desired.tenants.map(({ id }) => id)],
  );
  const changes: Change[] = [];
  const failures: ProvisioningError[] = [];
  for (const tenant of removed) {
    try {
      changes.push(...(await endTenant(master, desired, tenant)));
    } catch (error) {
      failures.push(asProvisioningError(error, STEP, tenant.id));
    }
  }
  if (failures.length > 0) {
    throw new ProvisioningFailures(failures);
  }
  return changes;
}

async function endTenant(master: Session, desired: DesiredState, tenant: RemovedTenant): Promise<Change[]> {
  const role = identifier(tenantRoleName(tenant.id));
  // Committed on its own and first: from here on nobody new gets in, whatever becomes of the rest.
  const statements = tenant.roleExists
    ? [sql`ALTER ROLE ${role} NOLOGIN PASSWORD NULL`, sql`REVOKE ${identifier(TENANTS_ROLE)} FROM ${role}`]
    : [];
  const changes = await master.apply({ step: STEP, what: 'logins ended', tenant: tenant.id, statements });
  await master.rows(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1`, [
    tenantRoleName(tenant.id),
  ]);
  if (tenant.policy === 'destroy') {
    changes.push(...(await destroyTenant(master, desired, tenant)));
  } else {
    const forget = [sql`UPDATE tenancy.tenant SET active = false, proof = NULL WHERE id = ${literal(tenant.id)}`];
    changes.push(
      ...(await master.apply({ step: STEP, what: 'rows kept, mapping ended', tenant: tenant.id, statements: forget })),
    );
  }
  return changes;
}

async function destroyTenant(master: Session, desired: DesiredState, tenant: RemovedTenant): Promise<Change[]> {
  const role = identifier(tenantRoleName(tenant.id));
  const column = identifier(desired.tenantColumn.name);
  const existing = await master.rows<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c
      WHERE c.relnamespace = to_regnamespace(quote_ident($1)) AND c.relname = ANY ($2) AND c.relkind IN ('r', 'p')`,
    [desired.schema, desired.tables.filter(({ strategy }) => strategy !== 'schema').map(({ name }) => name)],
  );
  const rows = existing.map(
    ({ name }) => sql`DELETE FROM ${identifier(desired.schema, name)} WHERE ${column} = ${literal(tenant.value)}`,
  );
  // Its own ones only: from a partition that others share, its rows are deleted.
  const partitions = (await readPartitions(master, desired)).filter(
    ({ values }) => values.length === 1 && values[0] === tenant.value,
  );
  const dropRole: Sql[] = tenant.roleExists
    ? [sql`GRANT ${role} TO CURRENT_USER`, sql`DROP OWNED BY ${role} CASCADE`, sql`DROP ROLE ${role}`]
    : [];
  return master.apply({
    step: STEP,
    what: 'rows destroyed, as its removal policy says',
    tenant: tenant.id,
    statements: [
      ...partitions.flatMap(({ schema, name, owner }) => [
        sql`SET LOCAL ROLE ${identifier(owner)}`,
        sql`DROP TABLE ${identifier(schema, name)}`,
        sql`RESET ROLE`,
      ]),
      sql`SET LOCAL ROLE ${identifier(LOADER_ROLE)}`,
      ...rows,
      sql`RESET ROLE`,
      sql`DROP SCHEMA IF EXISTS ${identifier(tenantSchemaName(tenant.id))} CASCADE`,
      ...dropRole,
      sql`DELETE FROM tenancy.tenant WHERE id = ${literal(tenant.id)}`,
    ],
  });
}
