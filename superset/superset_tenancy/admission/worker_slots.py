"""One tenant does not hold all children of a worker that is shared.

A child that begins a task takes a lock of its tenant, which the kernel gives back however the process ends. If another child of
the same worker has it, the task goes back to the queue, and the child is free for another tenant. Workers that are a tenant's own
have no such lock.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from superset_tenancy.workers.own_queues import queue_name

#: Seconds after which a task that went back is tried again.
AGAIN_AFTER = 1
#: Header of a task: the tenant of whoever asked for it.
TENANT = "tenancy_tenant"


class SlotTaken(Exception):
    """Another child runs a task of the tenant."""


@contextmanager
def slot(tenant: str) -> Iterator[None]:
    # The children of a worker have one parent.
    path = Path(tempfile.gettempdir(), f"worker-{os.getppid()}-of-{tenant}")
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SlotTaken(tenant) from None
        yield
    finally:
        os.close(descriptor)


def tenant_of_task(request: Any) -> str | None:
    """Of a task that runs, if it shares the worker with other tenants'."""
    tenant = getattr(request, TENANT, None)
    queue = (request.delivery_info or {}).get("routing_key")
    return None if tenant is None or queue == queue_name(tenant) else tenant
