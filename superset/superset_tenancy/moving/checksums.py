"""How many rows a tenant has in a table, and a checksum of them, both computed by PostgreSQL as the tenant.

The checksum is the sum over all rows of the SHA-256 of the row's text, in two lanes of 64 bits that are summed as exact numerics.
A sum does not depend on the order of rows, and counts a row that is there twice twice, which XOR would not. Text is exact: under
the settings of `sessions.py`, each value of PostgreSQL's types has one text, and the text of a row quotes what would make two
rows look alike; NULL and the empty string differ. Rows that differ by accident agree in 128 bits with a chance of 2^-128. Who
wants to forge a dump must forge the SHA-256 of its objects instead (`dump.py`).
"""

from dataclasses import asdict, dataclass
from typing import Any

from psycopg2 import sql

from superset_tenancy.moving.sessions import Place
from superset_tenancy.moving.tables import Table, identifiers


@dataclass(frozen=True)
class Checksum:
    """What is compared before and after."""

    rows: int
    sums: list[str]

    @property
    def text(self) -> str:
        return "/".join(self.sums)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def checksum(cursor: Any, table: Table, place: Place) -> Checksum:
    """Of all rows that the cursor's role sees, over the table's columns in their order."""
    cursor.execute(_SUMS.format(columns=identifiers(table.columns), rows=table.rows(place)))
    rows, *sums = cursor.fetchone()
    return Checksum(rows, sums)


def foreign_rows(cursor: Any, table: Table, place: Place) -> int:
    """Rows that the tenant sees, and that are not the tenant's."""
    if table.tenant_column is None:
        return 0
    statement = sql.SQL("SELECT count(*) FROM {} WHERE {} IS DISTINCT FROM (SELECT tenancy.current_tenant())")
    cursor.execute(statement.format(table.rows(place), sql.Identifier(table.tenant_column)))
    return cursor.fetchone()[0]


_SUMS = sql.SQL("""
    SELECT count(*), coalesce(sum(('x' || left(hash, 16))::bit(64)::bigint::numeric), 0)::text,
           coalesce(sum(('x' || right(hash, 16))::bit(64)::bigint::numeric), 0)::text
      FROM (SELECT encode(sha256(convert_to(ROW({columns})::text, 'UTF8')), 'hex') AS hash FROM {rows}) AS hashes
""")
