"""Gives each existing row its tenant, from what it refers to and who made it.

A row that could be of two tenants stops the migration, which says which. A row without a tenant is the platform's.
"""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from psycopg2 import sql

from superset_tenancy import names
from superset_tenancy.metadata.tables import TENANT_TABLES, Parent, TenantTable
from superset_tenancy.provisioning.changes import Refused

#: Contradictions of a table that are named; of more, the number.
_NAMED = 20

#: The one tenant of each user who has exactly one.
_PEOPLE = sql.SQL("""
CREATE TEMPORARY TABLE tenancy_people ON COMMIT DROP AS
SELECT user_id, min(tenant) AS tenant FROM (
  SELECT h.user_id, substring(r.name FROM {role}) AS tenant FROM ab_user_role h JOIN ab_role r ON r.id = h.role_id
  UNION
  SELECT m.user_id, substring(r.name FROM {role}) FROM ab_user_group m
    JOIN ab_group_role h ON h.group_id = m.group_id JOIN ab_role r ON r.id = h.role_id
) AS held WHERE tenant IS NOT NULL GROUP BY user_id HAVING count(DISTINCT tenant) = 1
""").format(role=sql.Literal(f"^tenant:({names.TENANT_ID}):(?:{'|'.join(names.CAPABILITIES)})$"))

#: What a dashboard has to do with: its charts, its owners, its roles.
_DASHBOARDS = sql.SQL("""
SELECT s.dashboard_id AS id, c.tenant FROM dashboard_slices s JOIN slices c ON c.id = s.slice_id
UNION ALL SELECT o.dashboard_id, p.tenant FROM dashboard_user o JOIN tenancy_people p USING (user_id)
UNION ALL SELECT a.dashboard_id, substring(r.name FROM {role}) FROM dashboard_roles a JOIN ab_role r ON r.id = a.role_id
""").format(role=sql.Literal(f"^tenant:({names.TENANT_ID}):(?:{'|'.join(names.CAPABILITIES)})$"))

#: People who own a thing, by the thing's table.
_OWNERS = {
    "slices": ("slice_user", "slice_id"),
    "tables": ("sqlatable_user", "table_id"),
    "dashboards": ("dashboard_user", "dashboard_id"),
    "report_schedule": ("report_schedule_user", "report_schedule_id"),
}
#: Tables whose rows are what one user keeps.
_KEPT_BY_USER = ("saved_query", "key_value", "user_attribute")
#: What a thing is called by.
_TITLES = {"slices": "slice_name", "dashboards": "dashboard_title", "tables": "table_name", "dbs": "database_name"}


def backfill(cursor: Any, say: Callable[[str], None], new: frozenset[str]) -> None:
    """Fills the column where it is empty; raises Refused with all contradictions.

    `new` names the tables that had no such column. In all others a row's people may be of another tenant by now.
    """
    fill(cursor, say)
    if problems := list(_contradictions(cursor, new)):
        raise Refused(problems)


def fill(cursor: Any, say: Callable[[str], None]) -> None:
    """Fills the column where it is empty: also in rows that tasks of an older version have written since."""
    cursor.execute(_PEOPLE)
    _fill_databases(cursor)
    filled = 0
    for table in TENANT_TABLES:
        for source in _sources(table):
            filled += _fill(cursor, table.name, source)
    if filled:
        say(f"metadata: {filled} rows were given their tenant")


def _sources(table: TenantTable) -> list[sql.Composable]:
    """Where a row's tenant is looked for, the first that knows it."""
    sources = [_DASHBOARDS] if table.name == "dashboards" else []
    sources += [_of_parent(table, parent) for parent in table.parents]
    if table.user:
        sources.append(_of_user(table))
    return [sql.SQL(" UNION ALL ").join(sources)] if table.history and sources else sources


def _fill_databases(cursor: Any) -> None:
    """By the URI, if the UUID agrees; and what the provisioner remembers of the tenant."""
    cursor.execute("SELECT id, sqlalchemy_uri, uuid FROM dbs WHERE tenant IS NULL")
    for number, uri, its_uuid in cursor.fetchall():
        if tenant := names.tenant_of_database(uri or "", UUID(str(its_uuid)) if its_uuid else None):
            cursor.execute("UPDATE dbs SET tenant = %s WHERE id = %s", (tenant, number))
            cursor.execute(
                "UPDATE key_value SET tenant = %s WHERE tenant IS NULL AND uuid = %s::uuid",
                (tenant, str(names.record_uuid(tenant))),
            )


def _fill(cursor: Any, table: str, source: sql.Composable) -> int:
    """By a source of pairs of id and tenant, where all pairs of a row agree."""
    cursor.execute(
        sql.SQL(
            "UPDATE {table} t SET tenant = s.tenant FROM (SELECT id, min(tenant) AS tenant FROM ({source}) AS pairs"
            " WHERE tenant IS NOT NULL GROUP BY id HAVING count(DISTINCT tenant) = 1) AS s"
            " WHERE t.{key} = s.id AND t.tenant IS NULL"
        ).format(table=_table(table), source=source, key=sql.Identifier(_key(table)))
    )
    return cursor.rowcount


def _contradictions(cursor: Any, new: frozenset[str]) -> Iterator[str]:
    for table in TENANT_TABLES:
        if table.history:
            continue
        sources = [(parent.table, _of_parent(table, parent)) for parent in table.parents]
        if table.name in new:
            sources += _sources_of_people(table)
        for what, source in sources:
            yield from _contradiction(cursor, table.name, what, source)


def _sources_of_people(table: TenantTable) -> Iterator[tuple[str, sql.Composable]]:
    if table.name == "dashboards":
        yield "what is on it, its owners and its roles", _DASHBOARDS
    if table.name in _OWNERS:
        yield "its owners", _of_owners(table.name)
    if table.name in _KEPT_BY_USER:
        yield "its user", _of_user(table)


def _contradiction(cursor: Any, table: str, what: str, source: sql.Composable) -> Iterator[str]:
    title = sql.Identifier("t", _TITLES[table]) if table in _TITLES else sql.SQL("NULL::text")
    cursor.execute(
        sql.SQL(
            "SELECT t.{key}, {title}, t.tenant, string_agg(DISTINCT s.tenant, ', ') FROM {table} t"
            " JOIN ({source}) AS s ON s.id = t.{key}"
            " WHERE s.tenant IS NOT NULL AND s.tenant IS DISTINCT FROM t.tenant GROUP BY 1, 2, 3 ORDER BY 1"
        ).format(table=_table(table), source=source, key=sql.Identifier(_key(table)), title=title)
    )
    rows = cursor.fetchall()
    for number, called, tenant, others in rows[:_NAMED]:
        name = f' "{called}"' if called else ""
        whose = f"belongs to {tenant}" if tenant else "belongs to no one tenant"
        yield f"{table} {number}{name} {whose}, but {what} to {others}: give it to one tenant, or delete it"
    if len(rows) > _NAMED:
        yield f"{table}: {len(rows) - _NAMED} more of this kind"


def _of_parent(table: TenantTable, parent: Parent) -> sql.Composable:
    source = sql.SQL("SELECT c.{key} AS id, p.tenant FROM {table} c JOIN {parent} p ON p.id = c.{column}").format(
        key=sql.Identifier(_key(table.name)),
        table=_table(table.name),
        parent=_table(parent.table),
        column=sql.Identifier(parent.column),
    )
    column, value = parent.when
    if not column:
        return source
    return sql.SQL("{} WHERE c.{}::text = {}").format(source, sql.Identifier(column), sql.Literal(value))


def _of_user(table: TenantTable) -> sql.Composable:
    return sql.SQL("SELECT c.{key} AS id, p.tenant FROM {table} c JOIN tenancy_people p ON p.user_id = c.{column}").format(
        key=sql.Identifier(_key(table.name)), table=_table(table.name), column=sql.Identifier(table.user)
    )


def _of_owners(table: str) -> sql.Composable:
    owners, column = _OWNERS[table]
    return sql.SQL("SELECT o.{} AS id, p.tenant FROM {} o JOIN tenancy_people p USING (user_id)").format(
        sql.Identifier(column), _table(owners)
    )


def _key(table: str) -> str:
    return {"embedded_dashboards": "uuid", "user_favorite_tag": "ctid"}.get(table, "id")


def _table(name: str) -> sql.Identifier:
    return sql.Identifier("public", name)
