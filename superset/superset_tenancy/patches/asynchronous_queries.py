"""Asynchronous queries within bounds: asked for, and run.

Superset 6.1.0 sends as many tasks as it is asked for, and a worker runs them in the order of the queue.
"""

from functools import wraps
from typing import Any

from celery import current_task
from celery.signals import before_task_publish, task_postrun
from flask import current_app
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetErrorException
from superset.extensions import celery_app
from superset.sqllab.sql_json_executer import ASynchronousSqlJsonExecutor
from superset.utils.core import QueryStatus

from superset_tenancy.admission.asynchronous import AT_ONCE, AsynchronousQueries
from superset_tenancy.admission.worker_slots import AGAIN_AFTER, TENANT, SlotTaken, slot, tenant_of_task
from superset_tenancy.identity import acting_user, tenants_of
from superset_tenancy.timeouts import TIMEOUTS

_PATCHED = "_is_bounded"
_TASK = "sql_lab.get_sql_results"


def apply() -> None:
    ask, run = ASynchronousSqlJsonExecutor.execute, celery_app.Task.__call__
    if getattr(ask, _PATCHED, False):
        return
    queries = AsynchronousQueries(current_app.config["ADMISSION_REDIS"])

    @wraps(ask)
    def ask_within_bounds(self: Any, execution_context: Any, *arguments: Any) -> Any:
        query, tenant = execution_context.query, _tenant_who_asks()
        if tenant is not None and not queries.take(tenant, query.id):
            raise _too_many(query)
        try:
            return ask(self, execution_context, *arguments)
        except BaseException:
            if tenant is not None:
                queries.release(tenant, query.id)
            raise

    @wraps(run)
    def run_in_slot(self: Any, *arguments: Any, **named: Any) -> Any:
        tenant = None if self.request.called_directly else tenant_of_task(self.request)
        if tenant is None:
            return run(self, *arguments, **named)
        try:
            with slot(tenant):
                return run(self, *arguments, **named)
        except SlotTaken:
            raise self.retry(countdown=AGAIN_AFTER, max_retries=TIMEOUTS["brokerVisibility"]) from None

    def release(task: Any = None, args: Any = (), state: str | None = None, **_ended: Any) -> None:
        tenant = getattr(task.request, TENANT, None)
        if task.name == _TASK and tenant is not None and state != "RETRY":
            queries.release(tenant, args[0])

    setattr(ask_within_bounds, _PATCHED, True)
    ASynchronousSqlJsonExecutor.execute = ask_within_bounds
    celery_app.Task.__call__ = run_in_slot
    before_task_publish.connect(_say_whose, weak=False)
    task_postrun.connect(release, weak=False)


def _tenant_who_asks() -> str | None:
    user = acting_user()
    tenants = tenants_of(user) if user else set()
    return min(tenants) if tenants else None


def _too_many(query: Any) -> SupersetErrorException:
    message = (
        f"Your organisation has {AT_ONCE} asynchronous queries queued or running, which is the most at once. "
        "Wait until one has ended, or stop one."
    )
    query.status, query.error_message = QueryStatus.FAILED, message
    error = SupersetError(message=message, error_type=SupersetErrorType.ASYNC_WORKERS_ERROR, level=ErrorLevel.ERROR)
    return SupersetErrorException(error, status=429)


def _say_whose(headers: dict[str, Any] | None = None, **_sent: Any) -> None:
    """A task that goes back to the queue is still of the tenant who asked for it."""
    tenant = getattr(current_task.request, TENANT, None) if current_task else None
    tenant = tenant or _tenant_who_asks()
    if tenant is not None and headers is not None:
        headers[TENANT] = tenant
