"""Counts a result while it arrives from PostgreSQL.

psycopg2 holds a whole result in memory before its size can be asked. Its wait callback is called between two reads from the
socket, and the kernel knows how many bytes the socket has received: a result that is too large ends at the bound. No statement
changes, and nothing pins a session of a proxy. The client's connection is looked at, too: when it closes, the query is cancelled.

libpq ignores `connect_timeout` when a callback is set, so the callback keeps it.
"""

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg2
from psycopg2 import extensions
from psycopg2.extensions import connection as Connection

from superset_tenancy.admission.client import CLOSED

#: `tcpi_bytes_received` in Linux's `struct tcp_info` (include/uapi/linux/tcp.h), since Linux 4.1.
_BYTES_RECEIVED = struct.Struct("=128xQ")

_EVENTS = {extensions.POLL_READ: select.POLLIN, extensions.POLL_WRITE: select.POLLOUT}
#: Milliseconds between two looks at a connection that is silent.
_TICK = 1000
#: Seconds for a connection whose settings name none.
_CONNECT_TIMEOUT = 10


def count_while_reading() -> None:
    """Sets the callback for all connections of this process. Only a connection with a `meter` is counted."""
    extensions.set_wait_callback(_wait)


@contextmanager
def without_counting() -> Iterator[None]:
    """For COPY, which psycopg2 does not do with a callback."""
    callback = extensions.get_wait_callback()
    extensions.set_wait_callback(None)
    try:
        yield
    finally:
        extensions.set_wait_callback(callback)


def _wait(connection: Connection) -> None:
    connected_by = _connected_by(connection)
    meter = getattr(connection, "meter", None) if connected_by is None else None
    client = meter.client if meter is not None else None
    while (state := connection.poll()) != extensions.POLL_OK:
        poller = select.poll()
        poller.register(connection.fileno(), _EVENTS[state])
        if client is not None and (waits := client.fileno()) >= 0:
            poller.register(waits, CLOSED)
        poller.poll(_TICK)
        if connected_by is None:
            if meter is not None:
                meter.read()
        elif time.monotonic() > connected_by:
            raise psycopg2.OperationalError("connection to the server failed: timeout expired")


def _connected_by(connection: Connection) -> float | None:
    """When a connection that is being made must stand."""
    if connection.status != extensions.STATUS_SETUP:
        return None
    seconds = extensions.parse_dsn(connection.dsn).get("connect_timeout")
    return time.monotonic() + int(seconds or _CONNECT_TIMEOUT)


def bytes_received(connection: Connection) -> int:
    """All bytes that the connection's socket has received."""
    end = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=connection.fileno())
    try:
        info = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES_RECEIVED.size)
    finally:
        # The descriptor is libpq's.
        end.detach()
    return _BYTES_RECEIVED.unpack(info)[0]
