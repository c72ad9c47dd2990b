"""Celery's tasks that run without a user: those about all tenants, and those about one thing, whose tenant is the thing's."""

import re
from contextvars import ContextVar
from typing import Any

from celery.signals import task_postrun, task_prerun
from flask import Flask
from sqlalchemy import text

from superset_tenancy.metadata.scope import NO_TENANT, PLATFORM, as_scope, say, unsay

#: About the rows of all tenants, by name: no other task is.
PLATFORM_TASKS = frozenset({"prune_query", "prune_logs", "prune_tasks", "reports.prune_log", "reports.scheduler"})

#: Position and name of the argument that says what the task is about.
_THINGS = {
    "reports.execute": (0, "report_schedule_id", "SELECT tenant FROM report_schedule WHERE id = :id"),
    "cache_chart_thumbnail": (1, "chart_id", "SELECT tenant FROM slices WHERE id = :id"),
    "cache_dashboard_thumbnail": (1, "dashboard_id", "SELECT tenant FROM dashboards WHERE id = :id"),
    "cache_dashboard_screenshot": (1, "dashboard_id", "SELECT tenant FROM dashboards WHERE id = :id"),
}

_running: ContextVar[bool] = ContextVar("_running", default=False)


def in_task() -> bool:
    """Whether a Celery worker runs a task."""
    return _running.get()


def tell_tasks(app: Flask) -> None:
    """From now on each of these tasks has a scope from its first statement on."""

    @task_prerun.connect(weak=False, dispatch_uid=f"tenancy-{id(app)}")
    def begin(task: Any = None, args: Any = (), kwargs: dict | None = None, **_: Any) -> None:
        running = _running.set(True)
        scope = _scope_of_task(app, task.name, tuple(args or ()), kwargs or {})
        task.request._tenancy = (running, say(scope) if scope else None)

    @task_postrun.connect(weak=False, dispatch_uid=f"tenancy-{id(app)}")
    def end(task: Any = None, **_: Any) -> None:
        running, said = getattr(task.request, "_tenancy", (None, None))
        if said:
            unsay(said)
        if running:
            _running.reset(running)


def _scope_of_task(app: Flask, name: str, args: tuple, kwargs: dict) -> str | None:
    if name in PLATFORM_TASKS:
        return PLATFORM
    if name not in _THINGS:
        return None
    position, keyword, statement = _THINGS[name]
    key = kwargs.get(keyword, args[position] if len(args) > position else None)
    if not re.fullmatch(r"[0-9]{1,9}", str(key)):
        return NO_TENANT
    from superset import db

    with app.app_context(), as_scope(PLATFORM), db.engine.connect() as connection:
        row = connection.execute(text(statement), {"id": int(key)}).fetchone()
    if row is None:
        return NO_TENANT
    # A thing of no tenant is the platform's.
    return row[0] or PLATFORM
