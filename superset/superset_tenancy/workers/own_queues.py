"""Which Celery queue a task goes to: that of its tenant, if the tenant has workers of its own.

The tenant is that of whoever asks; where nobody does, at Celery's clock, that of what the task is about. A task of the platform,
or of a tenant that shares, goes to the default queue. That is about load, not about access: a worker runs each task as its user.
"""

import json
import os
from collections.abc import Iterable
from typing import Any

from superset_tenancy.refusals.refusal import TenancyRefusal


def read_tenants(text: str) -> frozenset[str]:
    """SUPERSET_OWN_QUEUES: ids of tenants, with commas between them."""
    return frozenset(filter(None, map(str.strip, text.split(","))))


TENANTS = read_tenants(os.environ.get("SUPERSET_OWN_QUEUES", ""))


def queue_name(tenant: str) -> str:
    """The queue that the tenant's workers take tasks from."""
    return f"tenant_{tenant}"


def route_to_own_queue(
    name: str, args: Any = (), kwargs: dict | None = None, options: dict | None = None, task: Any = None, **_others: Any
) -> dict[str, str] | None:
    """Of `task_routes`: the tenant's own queue, or None for the default one."""
    if not TENANTS:
        return None
    tenants = _tenants_who_ask() or _tenants_of_task(name, list(args or ()), kwargs or {})
    (tenant,) = tenants if len(tenants) == 1 else (None,)
    return {"queue": queue_name(tenant)} if tenant in TENANTS else None


def _tenants_who_ask() -> set[str]:
    # Superset's settings name what is here before its models can be loaded.
    from superset_tenancy.identity import acting_user, tenants_of

    user = acting_user()
    try:
        return tenants_of(user) if user else set()
    except TenancyRefusal:
        return set()


def _tenants_of_task(name: str, args: list, kwargs: dict) -> set[str | None]:
    from flask import has_app_context
    from superset import db

    tenants_of_thing = _THINGS.get(name)
    if tenants_of_thing is None or not has_app_context():
        return set()
    with db.session.no_autoflush:
        return tenants_of_thing(args, kwargs)


def _of_query(args: list, kwargs: dict) -> set[str | None]:
    from superset.models.sql_lab import Query

    return _of_databases([_found(Query, _argument(0, "query_id", args, kwargs))])


def _of_report(args: list, kwargs: dict) -> set[str | None]:
    """An alert or a report: of its dashboard or its chart, and of the database that an alert asks."""
    from superset.reports.models import ReportSchedule

    report = _found(ReportSchedule, _argument(0, "report_schedule_id", args, kwargs))
    if report is None:
        return set()
    return _of_dashboard_object(report.dashboard) | _of_chart_object(report.chart) | _of_databases([report])


def _of_chart(args: list, kwargs: dict) -> set[str | None]:
    from superset.models.slice import Slice

    return _of_chart_object(_found(Slice, _argument(1, "chart_id", args, kwargs)))


def _of_dashboard(args: list, kwargs: dict) -> set[str | None]:
    from superset.models.dashboard import Dashboard

    return _of_dashboard_object(_found(Dashboard, _argument(1, "dashboard_id", args, kwargs)))


def _of_warm_up(args: list, kwargs: dict) -> set[str | None]:
    """One chart whose cache is warmed up."""
    return _of_chart([None, json.loads(_argument(0, "data", args, kwargs) or "{}").get("chart_id")], {})


def _of_dashboard_object(dashboard: Any) -> set[str | None]:
    from superset_tenancy.requests.ownership import tenants_of_dashboard

    return tenants_of_dashboard(dashboard) - {None} if dashboard else set()


def _of_chart_object(chart: Any) -> set[str | None]:
    return _of_databases([chart.datasource]) if chart else set()


def _of_databases(things: Iterable[Any]) -> set[str | None]:
    from superset_tenancy.identity import tenant_of_database

    databases = [getattr(thing, "database", None) for thing in things]
    return {tenant_of_database(database) for database in databases if database}


def _found(model: type, key: Any) -> Any:
    from superset import db

    return None if key is None else db.session.get(model, key)


def _argument(position: int, name: str, args: list, kwargs: dict) -> Any:
    return kwargs.get(name, args[position] if len(args) > position else None)


#: Tasks that may be sent when nobody asks.
_THINGS = {
    "sql_lab.get_sql_results": _of_query,
    "reports.execute": _of_report,
    "cache_chart_thumbnail": _of_chart,
    "cache_dashboard_thumbnail": _of_dashboard,
    "cache_dashboard_screenshot": _of_dashboard,
    "fetch_url": _of_warm_up,
}
