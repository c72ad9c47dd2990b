"""Who logs in to the metadata, and whether that is safe to serve with: looked at once for each connection."""

from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import TRANSACTION_STATUS_IDLE

from superset_tenancy.metadata.tables import PEOPLE_TABLES, TENANT_TABLES, unknown_tables

#: Environment variable of a Superset whose metadata belong to one tenant.
ONE_TENANT = "SUPERSET_ONE_TENANT"

_REMEDY = "Run `superset tenancy migrate`, and give web, workers and beat the secret of superset_web in SUPERSET_DATABASE_SECRET."

_TABLES = """
SELECT relname, relrowsecurity, relforcerowsecurity, pg_has_role(relowner, 'USAGE')
FROM pg_catalog.pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
"""


class MetadataUnprotected(RuntimeError):
    """The process must not serve: tenants' metadata would not be kept apart."""


@dataclass(frozen=True)
class Login:
    """What a connection may do."""

    #: Whether row security does not hold for it.
    owner: bool
    #: Why it must not serve, and what to do; empty if it may.
    problem: str


def examine(dbapi: Any) -> Login:
    """Asks the server; a transaction that begins with it ends here."""
    begins = dbapi.info.transaction_status == TRANSACTION_STATUS_IDLE
    with dbapi.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls, current_user FROM pg_catalog.pg_roles WHERE rolname = current_user")
        above, name = cursor.fetchone()
        cursor.execute(_TABLES)
        tables = cursor.fetchall()
    if begins:
        dbapi.rollback()
    if name != "superset_web" or above or any(owned for *_, owned in tables):
        what = f'it logs in as "{name}", for whom PostgreSQL does not keep tenants apart'
        return Login(True, f"Superset refuses to serve: {what}. {_REMEDY}")
    closed = {table for table, is_closed, *_ in tables if is_closed}
    existing = {table for table, *_ in tables}
    open_ = sorted(table.name for table in (*TENANT_TABLES, *PEOPLE_TABLES) if table.name not in closed)
    problems = []
    if open_:
        problems.append(f"these tables have no row-level security: {', '.join(open_)}")
    if unknown := unknown_tables(existing):
        problems.append(f"these tables are not in the list of tables: {', '.join(unknown)}")
    return Login(False, f"Superset refuses to serve: {'; '.join(problems)}. {_REMEDY}" if problems else "")
