"""The statements that make a table's rows their tenant's: column, policies, trigger, unique constraints.

All are safe to repeat. A policy compares with a setting that lasts as long as its transaction, and that is unset, so equal to
nothing, when it was forgotten.
"""

from collections.abc import Iterator

from psycopg2 import sql

from superset_tenancy import names
from superset_tenancy.metadata.roles import PLATFORM, PROVISIONER, WEB
from superset_tenancy.metadata.scope import NO_TENANT, NOBODY
from superset_tenancy.metadata.tables import PEOPLE_TABLES, TENANT_TABLES, Parent, SharedTable, TenantTable, Unique

SETTING = "tenancy.tenant"
_CURRENT = sql.SQL("current_setting({}, true)").format(sql.Literal(SETTING))
_OWN = sql.SQL("tenant = {}").format(_CURRENT)
_BEFORE_SIGN_IN = sql.SQL("{} = {}").format(_CURRENT, sql.Literal(NOBODY))
#: The user without exactly one tenant, who sees no more than an account.
_MYSELF = sql.SQL("substring({} FROM {})::int").format(_CURRENT, sql.Literal(f"^{NO_TENANT}:([0-9]+)$"))

#: Rows that are read beside the own ones.
READABLE = {
    "before_sign_in": _BEFORE_SIGN_IN,
    "platform_rows": sql.SQL("tenant IS NULL AND {} ~ '^[a-z]'").format(_CURRENT),
    "platform_salts": sql.SQL("tenant IS NULL AND resource = 'app' AND {} ~ '^[a-z]'").format(_CURRENT),
}

FUNCTIONS = sql.SQL("""
CREATE OR REPLACE FUNCTION public.tenancy_own() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT CASE WHEN current_setting('tenancy.tenant', true) ~ '^[a-z]' THEN current_setting('tenancy.tenant', true) END $$;

CREATE OR REPLACE FUNCTION public.tenancy_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  fields jsonb := to_jsonb(NEW);
  key text;
  parent text;
  seen int;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.tenant IS NOT NULL AND NEW.tenant IS DISTINCT FROM OLD.tenant THEN
    RAISE insufficient_privilege USING MESSAGE = format('a row of %s does not change its tenant', TG_TABLE_NAME);
  END IF;
  FOR i IN 0 .. TG_NARGS / 4 - 1 LOOP
    -- Column, table of the parent, and the column and value by which it is one.
    CONTINUE WHEN TG_ARGV[4 * i + 2] <> '' AND fields ->> TG_ARGV[4 * i + 2] IS DISTINCT FROM TG_ARGV[4 * i + 3];
    key := fields ->> TG_ARGV[4 * i];
    CONTINUE WHEN key IS NULL;
    CONTINUE WHEN TG_OP = 'UPDATE' AND NEW.tenant IS NOT NULL
      AND to_jsonb(OLD) ->> TG_ARGV[4 * i] IS NOT DISTINCT FROM key
      AND (TG_ARGV[4 * i + 2] = '' OR to_jsonb(OLD) ->> TG_ARGV[4 * i + 2] IS NOT DISTINCT FROM TG_ARGV[4 * i + 3]);
    -- Row security applies here, as it does not to foreign keys.
    EXECUTE format('SELECT tenant FROM public.%I WHERE id = $1', TG_ARGV[4 * i + 1]) INTO parent USING key::int;
    GET DIAGNOSTICS seen = ROW_COUNT;
    IF seen = 0 OR parent <> NEW.tenant THEN
      RAISE foreign_key_violation USING MESSAGE = format('%s: there is no such %s', TG_ARGV[4 * i], TG_ARGV[4 * i + 1]);
    END IF;
    NEW.tenant := coalesce(NEW.tenant, parent);
  END LOOP;
  RETURN NEW;
END $$;
""")


def columns(table: TenantTable) -> Iterator[sql.Composable]:
    """The tenant of each row, by default that of the transaction."""
    parts = {
        "table": _table(table.name),
        "index": sql.Identifier(f"tenancy_{table.name}"),
        # No tenant is called as what is said before the sign-in, so such a row is nobody's.
        "own": sql.SQL("nullif({}, '')").format(_CURRENT) if table.before_sign_in else sql.SQL("public.tenancy_own()"),
    }
    yield sql.SQL("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS tenant text").format(**parts)
    yield sql.SQL("ALTER TABLE {table} ALTER tenant SET DEFAULT {own}").format(**parts)
    yield sql.SQL("CREATE INDEX IF NOT EXISTS {index} ON {table} (tenant)").format(**parts)
    yield sql.SQL("DROP TRIGGER IF EXISTS tenancy ON {table}").format(**parts)


def close(name: str) -> sql.Composable:
    """From now on nobody but the owner sees a row, until a policy lets somebody."""
    return sql.SQL("ALTER TABLE {} ENABLE ROW LEVEL SECURITY").format(_table(name))


def drop_policy(name: str, policy: str) -> sql.Composable:
    return sql.SQL("DROP POLICY IF EXISTS {} ON {}").format(sql.Identifier(policy), _table(name))


def policies(table: TenantTable | SharedTable) -> Iterator[sql.Composable]:
    """Who sees and writes what, once the table has no other policies."""
    yield _policy(table.name, "platform", [PLATFORM], sql.SQL("true"))
    if isinstance(table, SharedTable):
        yield _policy(table.name, "provisioner", [PROVISIONER], sql.SQL("true"))
        yield _policy(table.name, "tenancy", [WEB], _PEOPLE[table.name])
        return
    yield _policy(table.name, "tenancy", [WEB, PROVISIONER], _OWN)
    if table.readable:
        yield _policy(table.name, "tenancy_read", [WEB], READABLE[table.readable], "FOR SELECT")


def trigger(table: TenantTable) -> sql.Composable:
    arguments = [sql.Literal(text) for parent in table.parents for text in _arguments(parent)]
    return sql.SQL(
        "CREATE TRIGGER tenancy BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION public.tenancy_keep({})"
    ).format(_table(table.name), sql.SQL(", ").join(arguments))


def unique(table: TenantTable, constraint: Unique) -> Iterator[sql.Composable]:
    """Two tenants may use the same slug, tag or UUID. The names stay Superset's, whose migrations know them."""
    parts = {
        "table": _table(table.name),
        "name": sql.Identifier(constraint.name),
        "index": sql.Identifier("public", constraint.name),
        "columns": sql.SQL(", ").join(map(sql.Identifier, (*constraint.columns, "tenant"))),
        "nulls": sql.SQL("NULLS DISTINCT" if constraint.nulls_distinct else "NULLS NOT DISTINCT"),
    }
    if constraint.is_index:
        yield sql.SQL("DROP INDEX IF EXISTS {index}").format(**parts)
        yield sql.SQL("CREATE UNIQUE INDEX {name} ON {table} ({columns}) {nulls}").format(**parts)
    else:
        yield sql.SQL("ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name} CASCADE").format(**parts)
        yield sql.SQL("ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE {nulls} ({columns})").format(**parts)
    if table.name == "query":
        yield _LATEST_QUERY


#: Superset's reference of a tab to its query by client id, which is unique per tenant only.
_LATEST_QUERY = sql.SQL(
    "ALTER TABLE public.tab_state DROP CONSTRAINT IF EXISTS tab_state_latest_query_id_fkey,"
    " ADD CONSTRAINT tab_state_latest_query_id_fkey FOREIGN KEY (latest_query_id, tenant)"
    " REFERENCES public.query (client_id, tenant) ON DELETE SET NULL (latest_query_id)"
)


def statements(table: TenantTable | SharedTable) -> str:
    """What is done to the table, as a text that changes when this module does."""
    parts = [repr(part) for part in policies(table)]
    if isinstance(table, TenantTable):
        parts += [repr(trigger(table)), *(repr(part) for one in table.unique for part in unique(table, one))]
        parts += [repr(part) for part in columns(table)]
    return "\n".join([*parts, repr(FUNCTIONS)])


def protected_tables() -> tuple[TenantTable | SharedTable, ...]:
    return (*TENANT_TABLES, *PEOPLE_TABLES)


def _policy(table: str, name: str, roles: list[str], rows: sql.Composable, command: str = "") -> sql.Composable:
    return sql.SQL("CREATE POLICY {} ON {} {} TO {} USING ({})").format(
        sql.Identifier(name), _table(table), sql.SQL(command), sql.SQL(", ").join(map(sql.Identifier, roles)), rows
    )


def _arguments(parent: Parent) -> tuple[str, str, str, str]:
    return (parent.column, parent.table, *parent.when)


def _table(name: str) -> sql.Identifier:
    return sql.Identifier("public", name)


_OWN_ROLES = sql.SQL(", ").join(
    sql.SQL("'tenant:' || {} || {}").format(_CURRENT, sql.Literal(f":{capability}")) for capability in names.CAPABILITIES
)
_PEOPLE = {
    "ab_user": sql.SQL(
        "{nobody} OR id = {myself} OR id IN"
        " (SELECT h.user_id FROM public.ab_user_role h JOIN public.ab_role r ON r.id = h.role_id WHERE r.name IN ({roles}))"
    ).format(nobody=_BEFORE_SIGN_IN, myself=_MYSELF, roles=_OWN_ROLES),
    "ab_role": sql.SQL(
        "{nobody} OR name NOT LIKE 'tenant:%' OR name IN ({roles})"
        " OR id IN (SELECT h.role_id FROM public.ab_user_role h WHERE h.user_id = {myself})"
    ).format(nobody=_BEFORE_SIGN_IN, myself=_MYSELF, roles=_OWN_ROLES),
}
