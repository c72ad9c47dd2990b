"""PostgreSQL's dialect, which asks each server once what it can.

Superset makes an engine for every query, and a new engine asks the server for its version and settings before it asks anything
else: five round trips. They are the same for all connections of a login role.
"""

from typing import Any

from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2

#: Name of the dialect in a URL.
DRIVER = "postgresql+tenancy"
registry.register("postgresql.tenancy", __name__, "TenancyDialect")

_known: dict[tuple, dict[str, Any]] = {}


class TenancyDialect(PGDialect_psycopg2):
    """What SQLAlchemy asks a server for, remembered for as long as the process lives."""

    supports_statement_cache = True

    def initialize(self, connection: Any) -> None:
        url = connection.engine.url
        server = (url.host, url.port, url.database, url.username)
        if server not in _known:
            before = dict(vars(self))
            super().initialize(connection)
            _known[server] = {name: value for name, value in vars(self).items() if before.get(name, self) is not value}
        vars(self).update(_known[server])
