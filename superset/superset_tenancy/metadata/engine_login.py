"""The login of an engine that has only the URI of the metadata, as Alembic's does.

The URI holds no login: SQLAlchemy writes a `%` of a password as it is and reads it as an escape, and RDS makes passwords with any
character, a new one each week.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import event
from sqlalchemy.engine import Engine


def log_engines_in(address: Mapping[str, str], login: Callable[[], dict]) -> None:
    """Adds `login()` to connections to `address` (host, port, database) without user and password, and to no other."""

    def add_login(dialect, record, arguments, parameters) -> None:
        database = parameters.get("dbname", parameters.get("database"))
        asked = (parameters.get("host"), str(parameters.get("port")), database)
        wanted = (address["host"], str(address["port"]), address["dbname"])
        if asked == wanted and not parameters.keys() & {"user", "password"}:
            parameters.update(login())

    event.listen(Engine, "do_connect", add_login)
