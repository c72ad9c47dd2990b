"""Gunicorn's settings (`--config=python:superset_tenancy.admission.recycling`): when a web process is replaced, and how its
threads take turns.

A process takes up to a few hundred MiB for a large result, and Python does not give all of it back. It is replaced after so many
requests, or above so much memory, when the requests that it has begun are done. A request that admission refused does not count:
otherwise a flood of them would keep all processes starting.
"""

import os
import random
import sys
from typing import Any

max_requests = 5000
max_requests_jitter = 2500

_PAGE = os.sysconf("SC_PAGE_SIZE")
#: Bytes above which a process is replaced; two of them at the same moment are unlikely.
_LARGEST = (700 + random.randrange(150)) * 1024 * 1024  # noqa: S311 - not a secret

#: Seconds after which a thread that computes lets another one have the interpreter; Python's default is ten times that.
_TURN = 0.0005

#: Set in the environment of a request that was refused.
REFUSED = "superset_tenancy.refused"


def post_request(worker: Any, _request: Any, environ: dict[str, Any], _response: Any) -> None:
    if environ.get(REFUSED):
        worker.nr -= 1
    elif worker.alive and resident() > _LARGEST:
        worker.log.info("Replacing this process: it holds more than %d MiB.", _LARGEST // 1024**2)
        worker.alive = False


def resident() -> int:
    """Bytes of memory that this process holds."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * _PAGE


def post_worker_init(_worker: Any) -> None:
    """A request that asks PostgreSQL and Valkey often waits for the interpreter each time, if another one only computes."""
    sys.setswitchinterval(_TURN)
