"""A tenant's rows from a dump: written as the loader, verified as the tenant.

All is read and checked before anything is touched: that the dump is whole, that each table can take it, and that no other rows of
the tenant are in the way. Then each table is a transaction of its own. A table that has the rows of the dump already is left
alone, so that a run that died is completed by the next.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from psycopg2 import Error, sql

from superset_tenancy.moving.checksums import Checksum, checksum
from superset_tenancy.moving.dump import Dump, Stored
from superset_tenancy.moving.progress import Progress
from superset_tenancy.moving.sessions import Place, loader_secret, loading, reading
from superset_tenancy.moving.stopped import Stopped
from superset_tenancy.moving.tables import Column, Table, identifiers, read_tables
from superset_tenancy.provisioning.changes import Refused

#: In the schema of the tables, within one transaction: nobody else ever sees it.
_STAGING = "tenancy_moving"


@dataclass(frozen=True)
class Arriving:
    """A table of the dump."""

    table: Table
    checksum: Checksum
    stored: Stored
    numbers: dict[str, int]

    @staticmethod
    def all_of(manifest: dict[str, Any]) -> list["Arriving"]:
        return [
            Arriving(Table.from_json(it["table"]), Checksum(**it["checksum"]), Stored(**it["stored"]), it["next"])
            for it in manifest["tables"]
        ]


def import_rows(
    place: Place, manifest: dict[str, Any], dump: Dump, replace: bool, secret: str | None, say: Callable[[str], None]
) -> None:
    """Loads what is not there yet; raises Refused before it touches anything, and Stopped after."""
    arriving = Arriving.all_of(manifest)
    secret = secret or loader_secret(place)
    for it in arriving:
        dump.check(it.stored)
    say("the rows of the dump are whole")
    found = _look(place, arriving, replace)
    with loading(secret, place) as cursor:
        for it in found.missing:
            _make(cursor, it.table, place)
            say(f"table {it.table.name}: made")
    with reading(place.tenant) as cursor:
        here = {table.name: table for table in read_tables(cursor, place)[0]}
        value = _tenant_value(cursor, place)
    with loading(secret, place) as cursor:
        for it in reversed(found.full):
            count = _empty(cursor, here[it.table.name], place, value)
            say(f"table {it.table.name}: {count:,} rows of before removed")
    for it in arriving:
        table = here.get(it.table.name)
        if table is None:
            raise Stopped(f"table {it.table.name}: was made, but the tenant may not read it; reconcile, and import again")
        if it in found.present:
            say(f"table {it.table.name}: its {it.checksum.rows:,} rows are there already")
            continue
        with loading(secret, place) as cursor, _named(it.table.name):
            _load(cursor, it, table, place, dump, value, say)
            _advance(cursor, it, table, place)
        with reading(place.tenant) as cursor:
            if difference := _difference(cursor, it, table, place):
                raise Stopped(difference)
        say(f"table {it.table.name}: {it.checksum.rows:,} rows loaded and verified")


def verify_rows(cursor: Any, place: Place, arriving: list[Arriving], say: Callable[[str], None]) -> list[str]:
    """Says how each table of the tenant compares with the dump; gives those that differ."""
    here = {table.name: table for table in read_tables(cursor, place)[0]}
    found = []
    for it in arriving:
        table = here.pop(it.table.name, None)
        difference = f"table {it.table.name} is not here" if table is None else _difference(cursor, it, table, place)
        say(difference or f"table {it.table.name}: {it.checksum.rows:,} rows as in the dump, checksum {it.checksum.text}")
        found += [difference] if difference else []
    for name, table in here.items():
        if rows := checksum(cursor, table, place).rows:
            found.append(f"table {name}: its {rows:,} rows are not in the dump")
            say(found[-1])
    return found


def _difference(cursor: Any, it: Arriving, table: Table, place: Place) -> str | None:
    """What the tenant sees here, and did not see at the export."""
    found = checksum(cursor, _with_columns_of(it.table, table), place)
    if found.rows != it.checksum.rows:
        return f"table {it.table.name}: {found.rows:,} rows are here, {it.checksum.rows:,} were exported"
    if found != it.checksum:
        return f"table {it.table.name}: its {found.rows:,} rows are others than those that were exported"
    return None


@dataclass
class _Found:
    """The tables of the dump, by what is there of them."""

    missing: list[Arriving] = field(default_factory=list)
    present: list[Arriving] = field(default_factory=list)
    #: With other rows of the tenant.
    full: list[Arriving] = field(default_factory=list)


def _look(place: Place, arriving: list[Arriving], replace: bool) -> _Found:
    """Raises Refused if the dump cannot go in."""
    found, problems = _Found(), []
    with reading(place.tenant) as cursor:
        here = {table.name: table for table in read_tables(cursor, place)[0]}
        for it in arriving:
            table = here.get(it.table.name)
            if table is None and place.shared:
                problems.append(f"table {it.table.name}: the tenant has none here; declare it in data.tables, and deploy")
            elif table is None:
                found.missing.append(it)
            elif differences := list(_differences(it.table, table)):
                problems += [f"table {it.table.name}: {difference}" for difference in differences]
            elif (rows := checksum(cursor, _with_columns_of(it.table, table), place)) == it.checksum:
                found.present.append(it)
            elif rows.rows:
                found.full.append(it)
                if not replace:
                    problems.append(
                        f"table {it.table.name}: {rows.rows:,} rows of the tenant are here that are not of this dump; "
                        "--replace removes them"
                    )
    if problems:
        raise Refused(problems)
    return found


def _differences(exported: Table, table: Table) -> Iterator[str]:
    here = {column.name: column for column in table.columns}
    for column in exported.columns:
        found = here.get(column.name)
        if found is None:
            yield f"column {column.name} ({column.type}) is missing here"
        elif found.type != column.type:
            yield f"column {column.name} is {found.type} here, and was {column.type}"
        elif (found.generated is None) != (column.generated is None):
            yield f"column {column.name} is {'not ' if found.generated is None else ''}generated here"


def _with_columns_of(exported: Table, table: Table) -> Table:
    return Table(table.name, table.own, table.partitioned, table.tenant_column, exported.columns)


def _tenant_value(cursor: Any, place: Place) -> str | None:
    """The tenant's value in the tenant column, where there are others in the tables."""
    if not place.shared:
        return None
    cursor.execute("SELECT tenancy.current_tenant()::text")
    (value,) = cursor.fetchone()
    if value is None:
        raise Refused([f"tenant {place.tenant}: the server knows no tenant of that login; deploy the environment first"])
    return value


def _make(cursor: Any, table: Table, place: Place) -> None:
    """The table as it was, in a database of the tenant's own."""
    parts = [column.definition() for column in table.columns]
    parts += [sql.SQL("CONSTRAINT {} {}").format(sql.Identifier(name), sql.SQL(text)) for name, text in table.constraints]
    within = sql.Identifier(place.common, table.name)
    with _named(table.name):
        cursor.execute(sql.SQL("CREATE TABLE {} ({})").format(within, sql.SQL(", ").join(parts)))
        for text in table.indexes:
            cursor.execute(text)


def _empty(cursor: Any, table: Table, place: Place, value: str | None) -> int:
    if table.tenant_column is None:
        cursor.execute(sql.SQL("DELETE FROM {}").format(table.within(place)))
    else:
        condition = sql.SQL("DELETE FROM {} WHERE {} = {}")
        cursor.execute(condition.format(table.within(place), sql.Identifier(table.tenant_column), sql.Literal(value)))
    return cursor.rowcount


def _load(
    cursor: Any, it: Arriving, table: Table, place: Place, dump: Dump, value: str | None, say: Callable[[str], None]
) -> None:
    columns = it.table.loaded
    if table.tenant_column is None:
        _copy(cursor, it, table.within(place), columns, dump, say)
        return
    # PostgreSQL copies into no table with row-level security. And the rows are looked at before they are among those of others.
    staging = sql.Identifier(place.common, f"{_STAGING}_{place.tenant}")
    cursor.execute(
        sql.SQL("CREATE UNLOGGED TABLE {} AS SELECT {} FROM {} WITH NO DATA").format(
            staging, identifiers(columns), table.within(place)
        )
    )
    _copy(cursor, it, staging, columns, dump, say)
    cursor.execute(
        sql.SQL("SELECT count(*) FROM {} WHERE {} IS DISTINCT FROM {}").format(
            staging, sql.Identifier(table.tenant_column), sql.Literal(value)
        )
    )
    if foreign := cursor.fetchone()[0]:
        raise Stopped(f"table {table.name}: {foreign:,} rows of the dump have another {table.tenant_column} than {value}")
    cursor.execute(
        sql.SQL("INSERT INTO {} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {}").format(
            table.within(place), staging, columns=identifiers(columns)
        )
    )
    cursor.execute(sql.SQL("DROP TABLE {}").format(staging))


def _copy(cursor: Any, it: Arriving, into: sql.Composable, columns: list[Column], dump: Dump, say: Callable[[str], None]) -> None:
    with dump.read(it.stored) as content:
        progress = Progress(f"table {it.table.name}: loading", say)
        cursor.copy_expert(sql.SQL("COPY {} ({}) FROM STDIN").format(into, identifiers(columns)), progress.around(content))
    if cursor.rowcount != it.checksum.rows:
        raise Stopped(f"table {it.table.name}: {cursor.rowcount:,} of {it.checksum.rows:,} rows were in the dump")


def _advance(cursor: Any, it: Arriving, table: Table, place: Place) -> None:
    """The next row gets a number that no row has. A sequence that counts for all tenants only ever goes forward."""
    for column, highest in it.numbers.items():
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", (table.within(place).as_string(cursor), column))
        (sequence,) = cursor.fetchone()
        if sequence is None:
            continue
        # Nobody takes a number meanwhile.
        cursor.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table.within(place)))
        cursor.execute(
            "SELECT setval(%(sequence)s::regclass, %(highest)s)"
            " WHERE %(highest)s > coalesce(pg_sequence_last_value(%(sequence)s::regclass), 0)",
            {"sequence": sequence, "highest": highest},
        )


@contextmanager
def _named(table: str) -> Iterator[None]:
    """What PostgreSQL refuses is said with the table."""
    try:
        yield
    except Error as error:
        raise Stopped(f"table {table}: {' '.join(str(error).split())}") from error
