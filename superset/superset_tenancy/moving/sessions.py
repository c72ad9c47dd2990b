"""Sessions with the tenant's data: the tenant's own login reads, the loader's writes.

Whatever is read for a move, or to verify one, is read as the tenant: what PostgreSQL does not show to the tenant cannot come
into a dump, whoever runs the export.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg2
from psycopg2 import sql

from superset_tenancy import names
from superset_tenancy.connections import pools
from superset_tenancy.connections.credentials import secrets_manager
from superset_tenancy.connections.pooled_connection import EXTENSIONS
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.results.reading import without_counting

#: Text that stands for one value only, whatever the role, the server or its version would choose; and no limits of the role.
_SETTINGS = """
    SET LOCAL statement_timeout = 0;
    SET LOCAL idle_in_transaction_session_timeout = 0;
    SET LOCAL timezone = 'UTC';
    SET LOCAL datestyle = 'ISO, YMD';
    SET LOCAL intervalstyle = 'postgres';
    SET LOCAL extra_float_digits = 1;
    SET LOCAL bytea_output = 'hex';
    SET LOCAL lc_monetary = 'C';
    SET LOCAL client_encoding = 'UTF8';
"""


@dataclass(frozen=True)
class Place:
    """Where a tenant's tables are in one environment."""

    tenant: str
    #: Whether they are in one database with those of others.
    shared: bool
    #: Schema of the tables that the environment file declares.
    common: str

    @property
    def own(self) -> str:
        """Schema of the tenant in a shared database."""
        return names.schema_name(self.tenant)

    def schema(self, in_own: bool) -> str:
        return self.own if in_own and self.shared else self.common


@contextmanager
def reading(tenant: str) -> Iterator[Any]:
    """A cursor of the tenant's login, in one transaction that sees one moment and changes nothing."""
    connection = pools.borrow(tenant)
    try:
        # Rows leave by COPY.
        with without_counting():
            cursor = connection.cursor()
            # A proxy has begun a transaction already.
            cursor.execute("ROLLBACK; BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;" + _SETTINGS)
            yield cursor
            connection.rollback()
    finally:
        connection.close()


@contextmanager
def loading(secret: str, place: Place) -> Iterator[Any]:
    """A cursor of the loader's login, in one transaction that is committed at the end."""
    connection = _connect(secret)
    try:
        with without_counting(), connection, connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
            path = [place.own, place.common, EXTENSIONS] if place.shared else [place.common, EXTENSIONS]
            cursor.execute(sql.SQL("SET LOCAL search_path = {}").format(sql.SQL(", ").join(map(sql.Identifier, path))))
            yield cursor
    finally:
        connection.close()


def read_place(cursor: Any, tenant: str) -> Place:
    """Where the tenant's tables are, as the server says: it is shared if it asks who the tenant is."""
    cursor.execute("SELECT to_regprocedure('tenancy.current_tenant()') IS NOT NULL, current_schemas(false)")
    shared, schemas = cursor.fetchone()
    common = [schema for schema in schemas if schema not in (names.schema_name(tenant), EXTENSIONS)]
    if not common:
        raise Refused([f"tenant {tenant}: its login finds no schema of tables; deploy the environment first"])
    return Place(tenant, shared, common[0])


def loader_secret(place: Place) -> str:
    """Name of the secret of whoever may write the tenant's rows."""
    return os.environ["SUPERSET_LOADER_SECRET"].format(tenant=place.tenant)


def _connect(secret: str) -> Any:
    """To the server itself: no proxy knows the loader."""
    login = json.loads(secrets_manager(os.getpid()).get_secret_value(SecretId=secret)["SecretString"])
    return psycopg2.connect(
        host=login["host"],
        port=int(login["port"]),
        dbname=login["database"],
        user=login["username"],
        password=login["password"],
        sslmode="verify-full",
        sslrootcert=os.environ["PGSSLROOTCERT"],
        connect_timeout=pools.PATIENCE,
        fallback_application_name="superset tenancy",
        keepalives_idle=30,
    )
