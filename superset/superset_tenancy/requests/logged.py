"""Which of the things that a page says it was about are written to the log."""

from typing import Any

from flask import g
from superset import security_manager

from superset_tenancy.identity import TenantUnresolved, acting_user, tenants_of
from superset_tenancy.requests.fields import identifiers
from superset_tenancy.requests.ownership import find, owners_of


def own_only(dashboard: Any, chart: Any) -> tuple[int | None, int | None]:
    """The numbers of a dashboard and of a chart, each only if it is the caller's."""
    return _own("dashboard", dashboard), _own("chart", chart)


def _own(kind: str, value: Any) -> int | None:
    if value is None or acting_user() is None:
        return None
    known = g.setdefault("_logged", {})
    number = next((number for _, number in identifiers(kind, value) if isinstance(number, int)), None)
    if (kind, number) not in known:
        known[kind, number] = number is not None and _is_own(kind, number)
    return number if known[kind, number] else None


def _is_own(kind: str, number: int) -> bool:
    try:
        tenants = tenants_of(acting_user())
        found = find(kind, [number])
        return bool(found) and (security_manager.is_admin() or owners_of(kind, found[0]) == tenants)
    except TenantUnresolved:
        return False
