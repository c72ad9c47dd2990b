"""A connection to PostgreSQL that goes back to its pool when it is closed: directly, or through a proxy."""

import time
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from superset_tenancy.connections.passing import NO_SESSION, in_words
from superset_tenancy.connections.pinning import pins
from superset_tenancy.results.bounded_cursor import BoundedCursor, BoundedServerCursor, Meter

#: Schema of the extensions in a tenant's own database, at the end of the role's search path. It has no tables of anybody's.
EXTENSIONS = "extensions"
#: Seconds from which on the proxy had no session, rather than that it ended one.
_WAITED = 1


class PooledConnection(Connection):
    """Superset closes it after each query; then it goes back to its pool."""

    #: SQLAlchemy's, while it is borrowed.
    handle: Any = None
    pool: Any = None
    #: Whether somebody has used it before.
    kept = False
    #: Whether it ends instead of going back.
    ends = False
    role = ""
    #: Counts what the statement that runs brings.
    meter: Meter | None = None

    def cursor(self, name: str | None = None, *arguments: Any, **options: Any) -> Cursor:
        """A result is counted, unless who asks brings a cursor."""
        if not arguments:
            options.setdefault("cursor_factory", BoundedServerCursor if name else BoundedCursor)
        return super().cursor(name, *arguments, **options)

    def close(self) -> None:
        handle, self.handle = self.handle, None
        if handle is None:
            super().close()
        elif self.closed or self.ends or self.pool.closed:
            self._end_transaction()
            handle.invalidate()
        else:
            handle.close()

    def _end_transaction(self) -> None:
        """Otherwise a proxy ends the server's session with the connection."""
        try:
            Connection.rollback(self)
        except psycopg2.Error:
            pass

    def roles(self) -> tuple:
        """Who it is for the server: the login's role, and the one in force."""
        self.autocommit = True
        # Not counted to the request: what is asked here goes on when its client has left.
        with super().cursor(cursor_factory=Cursor) as cursor:
            cursor.execute("SELECT session_user, current_user")
            roles = cursor.fetchone()
        self.autocommit = False
        return roles

    def forget(self) -> None:
        """Leaves nothing in the session for the next user."""
        self.rollback()
        self.set_session(isolation_level="DEFAULT", readonly="DEFAULT", deferrable="DEFAULT", autocommit=True)
        with super().cursor(cursor_factory=Cursor) as cursor:
            cursor.execute("DISCARD ALL")
        self.autocommit = False
        self._forget_here()

    def _forget_here(self) -> None:
        self.cursor_factory = None
        self.notices.clear()
        self.notifies.clear()


class ProxiedConnection(PooledConnection):
    """Through a proxy, which gives each transaction any session of the same role.

    So who it is is asked in the transaction that the query will run in, and what a query leaves behind in a session cannot be
    taken back: SET and DISCARD would pin the session, and so make it worse. It ends instead.
    """

    #: Schemas in which the role finds tables by their name alone.
    schemas: list[str] = []
    #: Number of the server's session, in the transaction that has asked for it.
    backend: int | None = None
    _touched = False

    def roles(self) -> tuple:
        asked_at = time.monotonic()
        try:
            with super().cursor(cursor_factory=Cursor) as cursor:
                cursor.execute("SELECT session_user, current_user, current_schemas(false), pg_backend_pid()")
                *roles, self.schemas, self.backend = cursor.fetchone()
        except psycopg2.OperationalError as error:
            # A proxy says that there was none, and closes the connection; of two messages libpq keeps the last.
            waited = time.monotonic() - asked_at
            if waited < _WAITED:
                raise
            raise psycopg2.OperationalError(f"{NO_SESSION} for {waited:.0f} seconds: {error}") from None
        self._touched = False
        return tuple(roles)

    def cursor(self, *arguments: Any, **options: Any) -> Cursor:
        if arguments or options:
            # A cursor of the server, or one that does not look at what is executed.
            self.touch(pinned=True)
            return super().cursor(*arguments, **options)
        return super().cursor(cursor_factory=_WatchedCursor)

    def touch(self, pinned: bool) -> None:
        """Something is executed."""
        self._touched = True
        self.ends |= pinned

    def rollback(self) -> None:
        """SQLAlchemy rolls back before it uses a connection: then the transaction is still that of the question who it is."""
        if self._touched:
            self.backend = None
            super().rollback()

    def commit(self) -> None:
        self.backend = None
        super().commit()

    def cancel(self) -> None:
        """RDS Proxy takes no request to cancel: another session of the role asks for it."""
        if self.backend is not None:
            self.pool.cancel(self.backend)

    def forget(self) -> None:
        self.backend = None
        super(PooledConnection, self).rollback()
        self._forget_here()

    def close(self) -> None:
        if self.handle is not None and not self.closed:
            session = (self.isolation_level, self.readonly, self.deferrable, self.autocommit)
            self.ends |= session != (None, None, None, False)
        super().close()

    def set_client_encoding(self, encoding: str) -> None:
        self.touch(pinned=True)
        super().set_client_encoding(encoding)

    def reset(self) -> None:
        self.touch(pinned=True)
        super().reset()


class _WatchedCursor(BoundedCursor):
    """Looks at what is executed."""

    connection: ProxiedConnection

    def execute(self, query: Any, vars: Any = None) -> None:
        statement = self.mogrify(query, vars)
        if self._changes_nothing(statement):
            return
        self.connection.touch(pinned=pins(statement))
        try:
            super().execute(query, vars)
        except psycopg2.OperationalError as error:
            raise in_words(error, "Your query did not finish. ") from None

    def _changes_nothing(self, statement: bytes) -> bool:
        """Superset sets the search path to the schema that was chosen, even where the role looks there first anyway."""
        first, *others = self.connection.schemas or [""]
        return others in ([], [EXTENSIONS]) and statement == f'set search_path = "{first}"'.encode()

    def executemany(self, query: Any, vars_list: Any) -> None:
        self.connection.touch(pinned=True)
        super().executemany(query, vars_list)

    def callproc(self, *arguments: Any) -> Any:
        self.connection.touch(pinned=True)
        return super().callproc(*arguments)

    def copy_expert(self, *arguments: Any, **options: Any) -> None:
        self.connection.touch(pinned=True)
        super().copy_expert(*arguments, **options)
