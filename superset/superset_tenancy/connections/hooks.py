"""Every connection of Superset to a tenant's data, by its two hooks.

Whatever the Database object says, its role, database and password are those of the tenant of whoever asks, and its host is one of
the platform's; a Database of another tenant gets no connection at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from superset_tenancy import names
from superset_tenancy.connections import pools
from superset_tenancy.connections.dialect import DRIVER
from superset_tenancy.identity import current_tenant, tenant_of_database
from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.sql.identifiers import require_names

if TYPE_CHECKING:
    from superset.models.core import Database

_connecting_to: ContextVar["Database | None"] = ContextVar("_connecting_to", default=None)


@contextmanager
def engine_context(database: "Database", catalog: str | None, schema: str | None) -> Iterator[None]:
    """ENGINE_CONTEXT_MANAGER: remembers the Database, which the next hook is not given; a schema is a name."""
    require_names(catalog, schema)
    token = _connecting_to.set(database)
    try:
        yield
    finally:
        _connecting_to.reset(token)


def connect_as_tenant(
    _uri: URL, _params: dict[str, Any], _username: str | None, _security_manager: Any, _source: Any
) -> tuple[URL, dict[str, Any]]:
    """DB_CONNECTION_MUTATOR: what is asked for is not looked at; so no catalog and no parameter leads elsewhere."""
    database = _connecting_to.get()
    tenant = require_own(database)
    proxy_name = names.proxy_of_database(database.sqlalchemy_uri)
    login = pools.admitted_login(tenant, proxy_name)
    uri = URL.create(DRIVER, username=login.username, host=login.host, port=login.port, database=login.database)
    # Without native hstore: it would ask the server for the type's number at each new engine, so at each query.
    return uri, {"creator": partial(pools.borrow, tenant, proxy_name), "poolclass": NullPool, "use_native_hstore": False}


def require_own(database: "Database | None") -> str:
    """The tenant of whoever asks, if the Database is that tenant's."""
    tenant = current_tenant()
    if database is None or tenant_of_database(database) != tenant:
        raise TenancyRefusal("This database does not belong to your account.")
    return tenant
