"""What SQL a tenant's user may run: the second wall, since the first stands in PostgreSQL."""

from typing import Any

from superset_tenancy.refusal import TenancyRefusal
from superset_tenancy.sql_rules import SqlRefused, check

#: Who may run EXPLAIN and SHOW as well: a permission that no role has unless an operator gives it.
EXPLAIN_PERMISSION = ("can_explain", "TenancySql")


def refuse_other_than_queries(sql: str, security_manager: Any = None, **_context: Any) -> str:
    """SQL_QUERY_MUTATOR: the SQL as it is, or an error for whoever typed it."""
    try:
        check(sql, explain_allowed=security_manager.can_access(*EXPLAIN_PERMISSION))
    except SqlRefused as refusal:
        raise TenancyRefusal(str(refusal)) from refusal
    return sql
