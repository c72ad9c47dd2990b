"""A tenant's tables, as PostgreSQL's catalog has them: what to dump, and how to make them elsewhere.

In a shared database, a table is taken only if PostgreSQL itself holds back the rows of others: its row-level security is in
force for the tenant, by exactly the policy that the provisioner makes, or it is in the schema that only the tenant enters.
"""

from collections import Counter
from dataclasses import asdict, dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from psycopg2 import sql

from superset_tenancy.moving.sessions import Place
from superset_tenancy.provisioning.changes import Refused

#: Of the provisioner, see lib/provisioning/handler/tables.ts.
_ISOLATION_POLICY, _LOADER_POLICY, _LOADER = "tenancy_isolation", "tenancy_loader", "tenancy_loader"
_TENANT_INDEX = "tenancy_tenant_idx_"


@dataclass(frozen=True)
class Column:
    """A column, and all that says what is in it."""

    name: str
    type: str
    not_null: bool
    collation: str | None = None
    default: str | None = None
    #: "a" for ALWAYS, "d" for BY DEFAULT; a serial column is the latter.
    identity: str = ""
    #: Expression of a stored generated column.
    generated: str | None = None

    def definition(self) -> sql.Composable:
        # Types and expressions are PostgreSQL's own text of them, which has no placeholders to quote.
        parts = [sql.Identifier(self.name), sql.SQL(self.type)]
        if self.collation:
            parts.append(sql.SQL("COLLATE {}").format(sql.Identifier(self.collation)))
        if self.generated is not None:
            parts.append(sql.SQL(f"GENERATED ALWAYS AS ({self.generated}) STORED"))
        elif self.identity:
            parts.append(sql.SQL(f"GENERATED {'ALWAYS' if self.identity == 'a' else 'BY DEFAULT'} AS IDENTITY"))
        elif self.default is not None:
            parts.append(sql.SQL(f"DEFAULT {self.default}"))
        if self.not_null:
            parts.append(sql.SQL("NOT NULL"))
        return sql.SQL(" ").join(parts)


@dataclass(frozen=True)
class Table:
    """A table, wherever it is."""

    name: str
    #: Whether it is in the tenant's own schema of a shared database.
    own: bool
    partitioned: bool
    #: Column that says whose a row is, where the rows of others are in it, too.
    tenant_column: str | None
    columns: list[Column]
    #: Name and definition.
    constraints: list[list[str]] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    #: Names of the tables that its foreign keys name.
    refers_to: list[str] = field(default_factory=list)

    @property
    def loaded(self) -> list[Column]:
        """All that is not computed from others."""
        return [column for column in self.columns if column.generated is None]

    def within(self, place: Place) -> sql.Composable:
        return sql.Identifier(place.schema(self.own), self.name)

    def rows(self, place: Place) -> sql.Composable:
        """The table in FROM, without tables that inherit from it: they are somebody else's."""
        return sql.SQL("{}" if self.partitioned else "ONLY {}").format(self.within(place))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(json: dict[str, Any]) -> "Table":
        return Table(**{**json, "columns": [Column(**column) for column in json["columns"]]})


def identifiers(columns: list[Column]) -> sql.Composable:
    return sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)


def read_tables(cursor: Any, place: Place) -> tuple[list[Table], list[str]]:
    """The tables that the tenant may read, referenced ones first, and what there is beside them.

    Raises Refused if PostgreSQL does not hold back the rows of others in one of them.
    """
    cursor.execute(_RELATIONS, {"common": place.common, "own": place.own, **_POLICIES})
    tables, beside, problems = [], [], []
    for oid, schema, name, kind, secured, policy, tenant_column, is_kept_apart, serving in cursor.fetchall():
        if kind not in ("r", "p"):
            beside.append(f"{_KINDS.get(kind, 'relation')} {schema}.{name}")
            continue
        own = place.shared and schema == place.own
        if place.shared and not own and not (secured and policy and tenant_column and is_kept_apart):
            problems.append(f"table {schema}.{name} does not hold back the rows of other tenants: its policies are not ours")
        elif serving:
            problems.append(f"table {schema}.{name} is inherited by another table, or inherits from one")
        else:
            shown = tenant_column if place.shared and not own else None
            tables.append(_table(cursor, oid, name, own, kind == "p", shown))
    for name, times in Counter(table.name for table in tables).items():
        if times > 1:
            problems.append(f"there are two tables called {name}: one of all tenants, and one of the tenant's own")
    if problems:
        raise Refused(problems)
    return _in_order(tables), sorted(beside)


def _table(cursor: Any, oid: int, name: str, own: bool, partitioned: bool, tenant_column: str | None) -> Table:
    cursor.execute(_COLUMNS, {"table": oid})
    columns = [Column(*row) for row in cursor.fetchall()]
    cursor.execute(_CONSTRAINTS, {"table": oid})
    found = cursor.fetchall()
    cursor.execute(_INDEXES, {"table": oid, "tenant_index": f"{_TENANT_INDEX}{oid}"})
    return Table(
        name=name,
        own=own,
        partitioned=partitioned,
        tenant_column=tenant_column,
        columns=columns,
        constraints=[[constraint, text] for constraint, text, kind, _ in found if kind != "f"],
        indexes=[text for (text,) in cursor.fetchall()],
        refers_to=sorted({referenced for *_, kind, referenced in found if kind == "f" and referenced != name}),
    )


def _in_order(tables: list[Table]) -> list[Table]:
    by_name = {table.name: table for table in sorted(tables, key=lambda table: table.name)}
    order = TopologicalSorter({name: table.refers_to for name, table in by_name.items()})
    try:
        return [by_name[name] for name in order.static_order() if name in by_name]
    except CycleError as error:
        raise Refused([f"the foreign keys of the tables {', '.join(error.args[1])} go round in a circle"]) from error


_KINDS = {"v": "view", "m": "materialised view", "f": "foreign table", "S": "sequence"}
_POLICIES = {"isolation": _ISOLATION_POLICY, "loader_policy": _LOADER_POLICY, "loader": _LOADER}

#: The policy is compared as the provisioner compares it, so that the column in it is a column, not a text.
_RELATIONS = """
    SELECT c.oid, n.nspname, c.relname, c.relkind::text,
           c.relrowsecurity AND c.relforcerowsecurity,
           i.oid IS NOT NULL,
           a.attname,
           NOT EXISTS (SELECT FROM pg_policy o
                        WHERE o.polrelid = c.oid AND o.polpermissive AND o.polname <> %(isolation)s
                          AND NOT (o.polname = %(loader_policy)s AND o.polroles = ARRAY[to_regrole(%(loader)s)::oid])),
           c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits h WHERE h.inhparent = c.oid OR h.inhrelid = c.oid)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_policy i ON i.polrelid = c.oid AND i.polname = %(isolation)s AND i.polpermissive AND i.polcmd = '*'
                           AND i.polroles = ARRAY[0::oid]
                           AND pg_get_expr(i.polqual, c.oid) = pg_get_expr(i.polwithcheck, c.oid)
      LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND pg_get_expr(i.polqual, c.oid)
              = format('(%%I = ( SELECT tenancy.current_tenant() AS current_tenant))', a.attname)
     WHERE n.nspname IN (%(common)s, %(own)s)
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
       AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
       AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e')
     ORDER BY c.relname
"""

_COLUMNS = """
    SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
           CASE WHEN a.attcollation <> t.typcollation THEN (SELECT collname FROM pg_collation WHERE oid = a.attcollation) END,
           CASE WHEN a.attgenerated = '' AND s.deptype IS NULL THEN pg_get_expr(d.adbin, d.adrelid) END,
           CASE WHEN s.deptype = 'a' THEN 'd' ELSE a.attidentity::text END,
           CASE WHEN a.attgenerated = 's' THEN pg_get_expr(d.adbin, d.adrelid) END
      FROM pg_attribute a
      JOIN pg_type t ON t.oid = a.atttypid
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
      LEFT JOIN LATERAL (SELECT max(p.deptype::text) AS deptype
                           FROM pg_depend p JOIN pg_class q ON q.oid = p.objid AND q.relkind = 'S'
                          WHERE p.classid = 'pg_class'::regclass AND p.refclassid = 'pg_class'::regclass
                            AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i')) s ON true
     WHERE a.attrelid = %(table)s AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum
"""

_CONSTRAINTS = """
    SELECT o.conname, pg_get_constraintdef(o.oid), o.contype::text, f.relname
      FROM pg_constraint o LEFT JOIN pg_class f ON f.oid = o.confrelid
     WHERE o.conrelid = %(table)s AND o.contype IN ('p', 'u', 'c', 'x', 'f') ORDER BY o.contype <> 'p', o.conname
"""

_INDEXES = """
    SELECT replace(pg_get_indexdef(i.indexrelid, 0, true), ' ON ONLY ', ' ON ')
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE i.indrelid = %(table)s AND i.indisvalid AND c.relname <> %(tenant_index)s
       AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid)
     ORDER BY c.relname
"""
