"""The guard at the last place before PostgreSQL."""

from typing import Any

from superset_tenancy import names
from superset_tenancy.identity import tenant_of_database
from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.sql.guard import check
from superset_tenancy.sql.refused import SqlRefused

#: Who may run EXPLAIN and SHOW as well: a permission that no role has unless an operator gives it.
EXPLAIN_PERMISSION = ("can_explain", "TenancySql")


def refuse_other_than_queries(sql: str, database: Any = None, **_context: Any) -> str:
    """SQL_QUERY_MUTATOR: the SQL as it is, or an error for the user who typed it."""
    try:
        check(sql, explain_allowed=may_explain, own_schema=own_schema_of(database))
    except SqlRefused as refusal:
        raise TenancyRefusal(str(refusal)) from refusal
    return sql


def may_explain() -> bool:
    """Whether the user of this request may run EXPLAIN and SHOW."""
    from superset import security_manager

    return security_manager.can_access(*EXPLAIN_PERMISSION)


def own_schema_of(database: Any) -> str | None:
    """Schema of the tables that only the tenant of a Database has."""
    tenant = tenant_of_database(database) if database is not None else None
    return names.schema_name(tenant) if tenant else None
