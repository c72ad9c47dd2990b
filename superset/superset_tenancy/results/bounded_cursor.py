"""Cursors whose results are counted: bytes while they arrive, values before Python objects are made of them."""

import time
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from superset_tenancy.admission.client import Client
from superset_tenancy.results import limits
from superset_tenancy.results.held import holder
from superset_tenancy.results.limits import OF_RESULT, Size, too_many_bytes, too_many_cells
from superset_tenancy.results.reading import bytes_received


class NobodyWaits(psycopg2.OperationalError):
    """For the result of a query."""


class Meter:
    """Counts what one statement brings."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._begin = bytes_received(connection)
        self._taken = 0
        self._holder = holder.get()

    @property
    def client(self) -> Client | None:
        return self._holder.client if self._holder is not None else None

    def check_waited_for(self) -> None:
        """Raises if nobody waits for the result any more; the time of a request is what a page waits."""
        if self._holder is None:
            return
        if time.monotonic() > self._holder.until:
            raise NobodyWaits("The query took longer than a page waits for it. Run it asynchronously in SQL Lab.")
        if self._holder.client.has_left():
            raise NobodyWaits("The query was cancelled: the browser or program that asked for it has left.")

    def read(self) -> None:
        """Something has arrived, the client has left, or a second has passed."""
        try:
            self.check_waited_for()
        except NobodyWaits:
            self._cancel()
            raise
        self.count()

    def count(self) -> None:
        """What has arrived so far; also the rest, which is read at once when all of it is there."""
        arrived = self.arrived_bytes()
        if arrived > OF_RESULT.bytes:
            raise too_many_bytes()
        if self._holder is not None and arrived > self._taken:
            self._holder.take(Size(bytes=arrived - self._taken))
            self._taken = arrived

    def arrived_bytes(self) -> int:
        return bytes_received(self._connection) - self._begin

    def let_go(self) -> None:
        """The rows are no longer in this process."""
        if self._holder is not None:
            self._holder.give_back(Size(bytes=self._taken))
        self._taken = 0

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
        meter = Meter(self.connection)
        meter.check_waited_for()
        self.connection.meter = meter
        try:
            super().execute(query, vars)
            meter.count()
            if self.description:
                meter.arrived(self.rowcount, len(self.description))
        finally:
            self.connection.meter = None


class BoundedServerCursor(Cursor):
    """A part of the result is in this process at a time; who reads it lets go of each part before the next."""

    #: Bytes of all parts so far.
    streamed = 0
    _part: Meter | None = None

    def _counted(self, fetch: Any, *arguments: Any) -> Any:
        if self._part is not None:
            self._part.let_go()
        self._part = self.connection.meter = meter = Meter(self.connection)
        try:
            meter.check_waited_for()
            fetched = fetch(*arguments)
            meter.count()
        finally:
            self.connection.meter = None
        self.streamed += meter.arrived_bytes()
        if self.streamed > limits.OF_STREAM:
            raise limits.too_long_a_stream()
        return fetched

    def fetchone(self) -> Any:
        return self._counted(super().fetchone)

    def fetchmany(self, size: int | None = None) -> list:
        return self._counted(super().fetchmany, self.arraysize if size is None else size)

    def fetchall(self) -> list:
        return self._counted(super().fetchall)
