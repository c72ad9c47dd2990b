"""Cursors whose results are counted: bytes while they arrive, values before Python objects are made of them."""

import time
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from superset_tenancy.results.held import holder
from superset_tenancy.results.limits import OF_RESULT, Size, too_many_bytes, too_many_cells
from superset_tenancy.results.reading import bytes_received


class Meter:
    """Counts what one statement brings."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._begin = bytes_received(connection)
        self._taken = 0
        self._holder = holder.get()

    def read(self) -> None:
        """Something has arrived, or a second has passed."""
        if self._holder is not None and time.monotonic() > self._holder.until:
            self._cancel()
            raise psycopg2.OperationalError("The query took longer than a page waits for it. Run it asynchronously in SQL Lab.")
        arrived = bytes_received(self._connection) - self._begin
        if arrived > OF_RESULT.bytes:
            raise too_many_bytes()
        if self._holder is not None and arrived > self._taken:
            self._holder.take(Size(bytes=arrived - self._taken))
            self._taken = arrived

    def _cancel(self) -> None:
        """The server would only notice when it has rows to send."""
        try:
            self._connection.cancel()
        except psycopg2.Error:
            pass

    def arrived(self, rows: int, columns: int) -> None:
        """All has arrived."""
        cells = rows * max(columns, 1)
        if cells > OF_RESULT.cells:
            raise too_many_cells(rows, columns)
        if self._holder is not None:
            self._holder.take(Size(cells=cells))


class BoundedCursor(Cursor):
    """The result of a statement is in this process as a whole."""

    def execute(self, query: Any, vars: Any = None) -> None:
        self.connection.meter = meter = Meter(self.connection)
        try:
            super().execute(query, vars)
            if self.description:
                meter.arrived(self.rowcount, len(self.description))
        finally:
            self.connection.meter = None


class BoundedServerCursor(Cursor):
    """A part of the result is in this process at a time; who reads it lets go of each part before the next."""

    def _counted(self, fetch: Any, *arguments: Any) -> Any:
        self.connection.meter = Meter(self.connection)
        try:
            return fetch(*arguments)
        finally:
            self.connection.meter = None

    def fetchone(self) -> Any:
        return self._counted(super().fetchone)

    def fetchmany(self, size: int | None = None) -> list:
        return self._counted(super().fetchmany, self.arraysize if size is None else size)

    def fetchall(self) -> list:
        return self._counted(super().fetchall)
