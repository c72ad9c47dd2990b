"""A tenant's rows into a dump: read as the tenant, at one moment, table by table."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from psycopg2 import sql

from superset_tenancy.moving.checksums import checksum, foreign_rows
from superset_tenancy.moving.dump import Dump
from superset_tenancy.moving.progress import Progress
from superset_tenancy.moving.sessions import Place
from superset_tenancy.moving.tables import Table, identifiers, read_tables
from superset_tenancy.provisioning.changes import Refused


def export_rows(cursor: Any, place: Place, dump: Dump, say: Callable[[str], None]) -> dict[str, Any]:
    """Stores each table; gives what the manifest says of them."""
    tables, beside = read_tables(cursor, place)
    for left in beside:
        say(f"{left} is not moved: make it again where the tenant goes to")
    for table in tables:
        # Before the first is stored: a dump must never hold another tenant's row.
        if foreign := foreign_rows(cursor, table, place):
            raise Refused([f"table {table.name}: the tenant's login sees {foreign:,} rows of others; nothing was stored of it"])
    return {"tables": [_export(cursor, table, place, dump, number, say) for number, table in enumerate(tables)]}


def _export(cursor: Any, table: Table, place: Place, dump: Dump, number: int, say: Callable[[str], None]) -> dict[str, Any]:
    found = checksum(cursor, table, place)
    progress = Progress(f"table {table.name}: exporting", say)
    copy = sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(identifiers(table.loaded), table.rows(place))
    stored = dump.write(f"tables/{number:04}.copy.gz", lambda sink: cursor.copy_expert(copy, progress.around(sink)))
    if cursor.rowcount not in (-1, found.rows):
        raise RuntimeError(f"table {table.name}: {cursor.rowcount:,} of {found.rows:,} rows were written")
    say(f"table {table.name}: {found.rows:,} rows exported, {stored.bytes:,} bytes")
    return {
        "table": table.as_json(),
        "checksum": found.as_json(),
        "stored": asdict(stored),
        "next": _next_numbers(cursor, table, place),
    }


def _next_numbers(cursor: Any, table: Table, place: Place) -> dict[str, int]:
    """The highest number of each column that PostgreSQL counts. The sequence itself may count for all tenants."""
    numbers = {}
    for column in table.columns:
        if column.identity:
            cursor.execute(
                sql.SQL("SELECT max({}) FROM {}").format(sql.Identifier(column.name), table.rows(place)),
            )
            (highest,) = cursor.fetchone()
            if highest is not None:
                numbers[column.name] = highest
    return numbers
