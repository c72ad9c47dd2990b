"""Says whose a transaction is, in front of its first statement.

The setting rides in the same message as a statement that is sent anyway, so it costs no round trip. It ends with the transaction:
nothing is carried over to whoever gets the connection next.
"""

from typing import Any

from flask import Flask, has_request_context
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from sqlalchemy import event
from superset import db

from superset_tenancy.metadata.login import Login, MetadataUnprotected, examine
from superset_tenancy.metadata.roles import PROVISIONER
from superset_tenancy.metadata.scope import PLATFORM, prefix, said_scope, scope_of_caller, valid
from superset_tenancy.metadata.tasks import in_task

_TOLD = "tenancy_scope"
_LOGIN = "tenancy_login"
#: Superset's own ping, in the midst of taking a connection: no user can be looked up.
_PING = "SELECT 1"


def listen(app: Flask) -> None:
    """From now on every transaction of the app's metadata engine has a scope."""
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", _before_statement, retval=True)
    event.listen(engine, "rollback_savepoint", _on_rollback_to_savepoint)


def login_of(info: dict, dbapi: Any) -> Login:
    """Who is logged in on a connection, by what is remembered of it."""
    if _LOGIN not in info:
        info[_LOGIN] = examine(dbapi)
    return info[_LOGIN]


def _before_statement(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> tuple[str, Any]:
    dbapi, info = cursor.connection, connection.info
    if dbapi.info.transaction_status == TRANSACTION_STATUS_IDLE:
        # What was told ended with its transaction; what is kept of a connection does not.
        info.pop(_TOLD, None)
    if statement == _PING:
        return statement, parameters
    login = login_of(info, dbapi)
    if login.owner:
        _refuse_to_serve(login)
        wanted = said_scope() or ""
    else:
        if login.problem:
            raise MetadataUnprotected(login.problem)
        wanted = scope_of_caller(dbapi, lambda: info.pop(_TOLD, None))
    if info.get(_TOLD) == wanted:
        return statement, parameters
    told = _owner_prefix(wanted) if login.owner else prefix(wanted)
    # In autocommit, the next statement is another transaction.
    info[_TOLD] = None if dbapi.autocommit else wanted
    if executemany or (context is not None and context.execution_options.get("stream_results")):
        with dbapi.cursor() as separate:
            separate.execute(told)
        return statement, parameters
    return told + statement, parameters


def _owner_prefix(wanted: str) -> str:
    """The owner sees all, but for what it does for one tenant: that is as if nobody else were there."""
    if wanted and valid(wanted) != PLATFORM:
        return f"SET LOCAL ROLE {PROVISIONER}; SET LOCAL tenancy.tenant = '{wanted}'; "
    return "SET LOCAL ROLE none; SET LOCAL tenancy.tenant = ''; "


def _refuse_to_serve(login: Login) -> None:
    if has_request_context() or in_task():
        raise MetadataUnprotected(login.problem)


def _on_rollback_to_savepoint(connection: Any, _name: str, _context: Any) -> None:
    # The server takes a setting back that was made since the savepoint.
    connection.info.pop(_TOLD, None)
