"""Brings the row security of the metadata to what the list of tables says.

One transaction: a run that dies has changed nothing. A table that is right already is not touched, so nobody waits for it.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from psycopg2 import sql

from superset_tenancy.metadata import policies
from superset_tenancy.metadata.backfill import backfill, fill
from superset_tenancy.metadata.roles import ensure_roles, grant_on_database, grant_on_table
from superset_tenancy.metadata.tables import BY_NAME, SharedTable, TenantTable, unknown_tables
from superset_tenancy.provisioning.changes import Refused

#: What PostgreSQL has of a table, as far as it is made here.
_FACTS = """
SELECT c.relname, concat_ws(E'\\n',
  c.relrowsecurity, c.relacl,
  (SELECT string_agg(s.relname || s.relacl::text, E'\\n' ORDER BY s.relname) FROM pg_class s
     WHERE s.relkind = 'S' AND s.relnamespace = c.relnamespace AND s.relname LIKE c.relname || '%_seq'),
  (SELECT string_agg(concat_ws(' ', polname, polcmd, polroles, pg_get_expr(polqual, polrelid)), E'\\n' ORDER BY polname)
     FROM pg_policy WHERE polrelid = c.oid),
  (SELECT string_agg(pg_get_triggerdef(oid) || tgenabled::text, E'\\n' ORDER BY tgname)
     FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal),
  (SELECT string_agg(pg_get_indexdef(indexrelid), E'\\n' ORDER BY indexrelid::regclass::text)
     FROM pg_index WHERE indrelid = c.oid AND indisunique),
  (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum
     WHERE adrelid = c.oid AND attname = 'tenant')
), obj_description(c.oid, 'pg_class')
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
"""


def refuse_unknown_tables(cursor: Any) -> None:
    """Raises Refused with the name of each table that is not in the list."""
    if unknown := unknown_tables(_facts(cursor)):
        raise Refused(
            [f"table {name} is not in metadata/tables.py: say there whose its rows are, or why it is shared" for name in unknown]
        )


def open_for_upgrade(cursor: Any) -> None:
    """Takes the policies away, which stand in the way of ALTER TABLE. Only the owner sees a row until they are back."""
    cursor.execute("SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'")
    for table, policy in cursor.fetchall():
        if table in BY_NAME:
            cursor.execute(policies.drop_policy(table, policy))


def protect(cursor: Any, say: Callable[[str], None]) -> None:
    """Makes all tables as the list says; raises Refused if existing rows contradict each other."""
    refuse_unknown_tables(cursor)
    facts = _facts(cursor)
    if missing := sorted(BY_NAME.keys() - facts.keys()):
        raise Refused([f"table {name} is in metadata/tables.py, but not in this Superset" for name in missing])
    ensure_roles(cursor)
    grant_on_database(cursor)
    stale = [table for table in BY_NAME.values() if not _is_current(table, *facts[table.name])]
    if not stale:
        fill(cursor, say)
        say("metadata: all tables are protected already")
        return
    # Instead of waiting without an end for somebody who holds a table, which makes all others wait.
    cursor.execute("SET LOCAL lock_timeout = '60s'")
    cursor.execute(policies.FUNCTIONS)
    tenant_tables = [table for table in stale if isinstance(table, TenantTable)]
    with_tenants = _tables_with_tenants(cursor)
    for table in tenant_tables:
        _run(cursor, policies.columns(table))
    if tenant_tables:
        backfill(cursor, say, frozenset(table.name for table in tenant_tables) - with_tenants)
    for table in stale:
        _protect_table(cursor, table)
    facts = _facts(cursor)
    for table in stale:
        fingerprint = sql.Literal(_fingerprint(table, facts[table.name][0]))
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(sql.Identifier("public", table.name), fingerprint))
    say(f"metadata: {len(stale)} of {len(BY_NAME)} tables protected")


def _tables_with_tenants(cursor: Any) -> set[str]:
    cursor.execute(
        "SELECT relname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attname = 'tenant' AND NOT attisdropped"
    )
    return {name for (name,) in cursor.fetchall()}


def _protect_table(cursor: Any, table: TenantTable | SharedTable) -> None:
    grant_on_table(cursor, table.name)
    if table not in policies.protected_tables():
        return
    if isinstance(table, TenantTable):
        for constraint in table.unique:
            _run(cursor, policies.unique(table, constraint))
        cursor.execute(policies.trigger(table))
    cursor.execute(policies.close(table.name))
    cursor.execute("SELECT policyname FROM pg_policies WHERE schemaname = 'public' AND tablename = %s", (table.name,))
    for (policy,) in cursor.fetchall():
        cursor.execute(policies.drop_policy(table.name, policy))
    _run(cursor, policies.policies(table))


def _is_current(table: TenantTable | SharedTable, facts: str, comment: str | None) -> bool:
    return comment == _fingerprint(table, facts)


def _fingerprint(table: TenantTable | SharedTable, facts: str) -> str:
    wanted = policies.statements(table) if table in policies.protected_tables() else repr(table)
    return hashlib.sha256(f"{wanted}\n{facts}".encode()).hexdigest()


def _facts(cursor: Any) -> dict[str, tuple[str, str | None]]:
    cursor.execute(_FACTS)
    return {name: (facts, comment) for name, facts, comment in cursor.fetchall()}


def _run(cursor: Any, statements: Any) -> None:
    for statement in statements:
        cursor.execute(statement)
