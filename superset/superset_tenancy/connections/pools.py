"""Connections to PostgreSQL, kept open for the next query of the same tenant.

A pool belongs to one login role on one database, and to one process: a connection never serves another role. Whoever borrows one
finds it as if it were new, since everything that a session can hold is discarded when it comes back.
"""

import logging
import os
import threading
import time
from typing import Any

import backoff
import psycopg2
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import event
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
from sqlalchemy.exc import InvalidatePoolError, TimeoutError
from sqlalchemy.pool import QueuePool

from superset_tenancy.connections import tokens
from superset_tenancy.connections.credentials import Login, TenantCutOff, login_of
from superset_tenancy.connections.passing import in_words, is_busy, is_refused_login, passes
from superset_tenancy.connections.pooled_connection import PooledConnection, ProxiedConnection
from superset_tenancy.connections.proxies import proxy_of
from superset_tenancy.timeouts import TIMEOUTS

logger = logging.getLogger(__name__)


def most_connections(text: str) -> int:
    """SUPERSET_TENANT_CONNECTIONS: a number from 1 on."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise RuntimeError(f"SUPERSET_TENANT_CONNECTIONS is {text!r}: it must be a number from 1 on")
    return int(text)


#: Connections of one tenant in one process: so many there are at most, so many stay open between queries.
MOST = most_connections(os.environ.get("SUPERSET_TENANT_CONNECTIONS") or "5")
KEPT = min(2, MOST)
#: Seconds that a query waits for one of them, and that a connection is tried for.
PATIENCE = TIMEOUTS["tenantPool"]
#: A query ends soon after a process of ours that ended without a word.
CANCELS_WITHOUT_CLIENT = "-c client_connection_check_interval=5s"
#: Seconds after which an unused pool closes its connections: they count against the tenant's limit in all processes.
IDLE = 30


class _TenantPool:
    def __init__(self, tenant: str, proxy_name: str | None) -> None:
        self.tenant = tenant
        self.proxy_name = proxy_name
        self.used_at = time.monotonic()
        self.closed = False
        #: The login that the server did not take.
        self.refused: Login | None = None
        self.connections = QueuePool(
            self._connect,
            pool_size=KEPT,
            max_overflow=MOST - KEPT,
            timeout=PATIENCE,
            reset_on_return=None,
            dialect=PGDialect_psycopg2(dbapi=psycopg2),
        )
        event.listen(self.connections, "checkout", _expect_role)
        event.listen(self.connections, "reset", _forget_session)

    def borrow(self) -> PooledConnection:
        """Asks again while the reason passes: no query has begun yet."""

        @backoff.on_exception(
            backoff.expo,
            psycopg2.OperationalError,
            max_time=PATIENCE,
            giveup=lambda error: not passes(error),
            factor=0.1,
            max_value=1,
            logger=None,
        )
        def attempt() -> Any:
            try:
                handle = self.connections.connect()
            except psycopg2.OperationalError as error:
                logger.warning("tenant %s: no connection: %s", self.tenant, str(error).strip())
                if is_refused_login(error):
                    self.refused = _login_of(self.tenant, self.proxy_name)
                raise
            self.refused = None
            return handle

        try:
            handle = attempt()
        except psycopg2.OperationalError as error:
            raise in_words(error) from None
        connection = handle.dbapi_connection
        connection.pool, connection.handle = self, handle
        self.used_at = time.monotonic()
        return connection

    def _connect(self) -> PooledConnection:
        """Connects with today's password, or with a token."""
        login = _login_of(self.tenant, self.proxy_name, self.refused)
        proxy = proxy_of(login)
        proxied = bool(proxy or login.by_token)
        connection = psycopg2.connect(
            host=proxy.host if proxy else login.host,
            port=proxy.port if proxy else login.port,
            dbname=login.database,
            user=login.username,
            password=login.password,
            sslmode="verify-full",
            sslrootcert=os.environ["PGSSLROOTCERT"],
            connect_timeout=PATIENCE,
            fallback_application_name="superset",
            keepalives_idle=30,
            # A proxy does not take it.
            options="" if proxied else CANCELS_WITHOUT_CLIENT,
            connection_factory=ProxiedConnection if proxied else PooledConnection,
        )
        connection.role = login.username
        return connection

    def cancel(self, backend: int) -> None:
        """Cancels what a session of the role runs, by another session."""
        connection = self._connect()
        try:
            with connection.cursor(cursor_factory=Cursor) as cursor:
                cursor.execute("SELECT pg_cancel_backend(%s)", (backend,))
        finally:
            connection.close()

    def is_idle(self) -> bool:
        return time.monotonic() - self.used_at > IDLE and self.connections.checkedout() == 0

    def close(self) -> None:
        """Closes what nobody uses now, and the others as they come back."""
        self.closed = True
        self.connections.dispose()


_pools: dict[tuple, _TenantPool] = {}
_lock = threading.Lock()
_sweeper: threading.Thread | None = None
#: What a fork has inherited: kept, since closing it would end the sessions of the parent.
_of_parent: list[dict] = []


def borrow(tenant: str, proxy_name: str | None = None) -> PooledConnection:
    """A connection as the tenant's login role. Close it to give it back."""
    login = admitted_login(tenant, proxy_name)
    key = (login.host, login.port, login.database, login.username)
    with _lock:
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = _TenantPool(tenant, proxy_name)
        pool.used_at = time.monotonic()
        _keep_sweeping()
    try:
        return pool.borrow()
    except TenantCutOff:
        _close_pools_of(tenant)
        raise
    except TimeoutError as error:
        raise psycopg2.OperationalError(
            f"Tenant {tenant} runs {MOST} queries here already, and none of them ended within {PATIENCE} seconds. "
            "Try again in a moment."
        ) from error


def admitted_login(tenant: str, proxy_name: str | None = None) -> Login:
    """The tenant's login. Who is cut off loses the connections, too."""
    try:
        return _login_of(tenant, proxy_name)
    except TenantCutOff:
        _close_pools_of(tenant)
        raise


def _login_of(tenant: str, proxy_name: str | None, refused: Login | None = None) -> Login:
    """From the tenant's secret, which names the server; or by a token for the proxy that the tenant's Database names."""
    return tokens.token_login(tenant, proxy_name, refused) if tokens.PROXIES else login_of(tenant, refused)


def _close_pools_of(tenant: str) -> None:
    with _lock:
        closing = [_pools.pop(key) for key, pool in list(_pools.items()) if pool.tenant == tenant]
    for pool in closing:
        pool.close()


def _expect_role(connection: PooledConnection, _record: Any, _handle: Any) -> None:
    """Before each use: the session lives, and is that of the role. Otherwise all older ones of the pool are replaced."""
    try:
        roles = connection.roles()
    except psycopg2.Error as error:
        if connection.kept and not is_busy(error):
            raise InvalidatePoolError() from error
        raise
    connection.kept = True
    if roles != (connection.role, connection.role):
        logger.error("a connection of %s was found as %s, and closed", connection.role, roles)
        raise InvalidatePoolError()


def _forget_session(handle: Any, _record: Any) -> None:
    """After each use. What fails here closes the connection."""
    handle.dbapi_connection.forget()


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
            pool.close()
        if done:
            return


def _after_fork() -> None:
    global _pools, _lock, _sweeper
    _of_parent.append(_pools)
    _pools, _lock, _sweeper = {}, threading.Lock(), None


os.register_at_fork(after_in_child=_after_fork)
