"""Connections to PostgreSQL, kept open for the next query of the same tenant.

A pool belongs to one login role on one database, and to one process: a connection never serves another role. Whoever borrows one
finds it as if it were new, since everything that a session can hold is discarded when it comes back.
"""

import logging
import os
import threading
import time
from functools import partial
from typing import Any

import backoff
import psycopg2
from psycopg2.extensions import connection as Connection
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import InvalidatePoolError, TimeoutError
from sqlalchemy.pool import QueuePool

from superset_tenancy.credentials import Login, login_of

logger = logging.getLogger(__name__)

#: Connections of one tenant in one process: so many stay open between queries, so many there are at most.
KEPT = 2
MOST = 5
#: Seconds that a query waits for one of them, and that a connection is tried for.
PATIENCE = 10
#: Seconds after which an unused pool closes its connections: they count against the tenant's limit in all processes.
IDLE = 30

#: What PostgreSQL says when it makes sense to ask again: a password that is being rotated, a role at its limit, a restart.
REFUSED = "password authentication failed"
PASSING = (
    REFUSED,
    "too many connections for role",
    "sorry, too many clients already",
    "remaining connection slots",
    "the database system is",
    "Connection refused",
    "closed the connection unexpectedly",
    "connection has been closed unexpectedly",
    "terminating connection due to administrator command",
)


class PooledConnection(Connection):
    """Superset closes it after each query; then it goes back to its pool."""

    handle: Any = None

    def close(self) -> None:
        handle, self.handle = self.handle, None
        if handle is None:
            super().close()
        else:
            handle.close()


class _TenantPool:
    def __init__(self, tenant: str) -> None:
        self.used_at = time.monotonic()
        self.connections = QueuePool(
            partial(_connect, tenant),
            pool_size=KEPT,
            max_overflow=MOST - KEPT,
            timeout=PATIENCE,
            reset_on_return=None,
            dialect=PGDialect_psycopg2(dbapi=psycopg2),
        )
        event.listen(self.connections, "checkout", _expect_role)
        event.listen(self.connections, "reset", _forget_session)

    def borrow(self) -> PooledConnection:
        handle = self.connections.connect()
        connection = handle.dbapi_connection
        connection.handle = handle
        self.used_at = time.monotonic()
        return connection

    def is_idle(self) -> bool:
        return time.monotonic() - self.used_at > IDLE and self.connections.checkedout() == 0


_pools: dict[tuple, _TenantPool] = {}
_lock = threading.Lock()
_sweeper: threading.Thread | None = None
#: What a fork has inherited: kept, since closing it would end the sessions of the parent.
_of_parent: list[dict] = []


def borrow(tenant: str) -> PooledConnection:
    """A connection as the tenant's login role. Close it to give it back."""
    login = login_of(tenant)
    key = (login.host, login.port, login.database, login.username)
    with _lock:
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = _TenantPool(tenant)
        pool.used_at = time.monotonic()
        _keep_sweeping()
    try:
        return pool.borrow()
    except TimeoutError as error:
        raise psycopg2.OperationalError(
            f"Tenant {tenant} runs {MOST} queries here already, and none of them ended within {PATIENCE} seconds. "
            "Try again in a moment."
        ) from error


def _connect(tenant: str) -> PooledConnection:
    """Connects with today's password, and asks again while the reason passes."""
    refused: Login | None = None

    def gives_up(error: Exception) -> bool:
        return not any(text in str(error) for text in PASSING)

    @backoff.on_exception(
        backoff.expo,
        psycopg2.OperationalError,
        max_time=PATIENCE,
        giveup=gives_up,
        factor=0.1,
        max_value=1,
        logger=None,
    )
    def attempt() -> PooledConnection:
        nonlocal refused
        login = login_of(tenant, refused)
        try:
            connection = psycopg2.connect(
                host=login.host,
                port=login.port,
                dbname=login.database,
                user=login.username,
                password=login.password,
                sslmode="verify-full",
                sslrootcert=os.environ["PGSSLROOTCERT"],
                connect_timeout=PATIENCE,
                application_name="superset",
                keepalives_idle=30,
                connection_factory=PooledConnection,
            )
        except psycopg2.OperationalError as error:
            if REFUSED in str(error):
                refused = login
            logger.warning("tenant %s: no connection: %s", tenant, str(error).strip())
            raise
        connection.role = login.username
        return connection

    return attempt()


def _expect_role(connection: PooledConnection, _record: Any, _handle: Any) -> None:
    """Before each use: the session lives, and is that of the role. Otherwise all older ones of the pool are replaced."""
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT session_user, current_user")
            roles = cursor.fetchone()
        connection.autocommit = False
    except psycopg2.Error as error:
        raise InvalidatePoolError() from error
    if roles != (connection.role, connection.role):
        logger.error("a connection of %s was found as %s, and closed", connection.role, roles)
        raise InvalidatePoolError()


def _forget_session(handle: Any, _record: Any) -> None:
    """After each use. What fails here closes the connection."""
    connection = handle.dbapi_connection
    connection.rollback()
    connection.set_session(isolation_level="DEFAULT", readonly="DEFAULT", deferrable="DEFAULT", autocommit=True)
    with connection.cursor() as cursor:
        cursor.execute("DISCARD ALL")
    connection.autocommit = False
    connection.cursor_factory = None
    connection.notices.clear()
    connection.notifies.clear()


def _keep_sweeping() -> None:
    global _sweeper
    if _sweeper is None or not _sweeper.is_alive():
        _sweeper = threading.Thread(target=_sweep, name="tenant-pools", daemon=True)
        _sweeper.start()


def _sweep() -> None:
    """Closes idle connections, until there are no pools."""
    global _sweeper
    while True:
        time.sleep(IDLE / 6)
        with _lock:
            idle = [key for key, pool in _pools.items() if pool.is_idle()]
            closing = [_pools.pop(key) for key in idle]
            done = not _pools
            if done:
                _sweeper = None
        for pool in closing:
            pool.connections.dispose()
        if done:
            return


def _after_fork() -> None:
    global _pools, _lock, _sweeper
    _of_parent.append(_pools)
    _pools, _lock, _sweeper = {}, threading.Lock(), None


os.register_at_fork(after_in_child=_after_fork)
