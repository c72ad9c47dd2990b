"""Web processes and children of workers are replaced, by the very options that the task definitions give."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from attack import Requests, ask, memory_of_children
from test_attacks import wait_until

from world import Person, Web

SETTINGS = "--config=python:superset_tenancy.admission.recycling"
QUEUE = "recycling"


@contextmanager
def web_server(servers, *arguments, **replaced):
    """With one process, so that each request is one of its."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    words = {"--bind=0.0.0.0:8088": f"--bind=127.0.0.1:{port}", "--workers=2": "--workers=1", **replaced}
    words["--graceful-timeout=100"] = "--graceful-timeout=20"
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    with servers.running("web", *arguments, environment={"PYTHONPATH": path}, **words) as process:
        process.url = f"http://127.0.0.1:{port}"
        wait_until(lambda: is_refused(process), 120)
        yield process


def processes(server) -> set[int]:
    return set(memory_of_children(server.pid))


def health(server) -> int | None:
    """None while no process takes requests."""
    try:
        return requests.get(f"{server.url}/health", timeout=10).status_code
    except requests.RequestException:
        return None


def is_refused(server) -> bool:
    """A request that is too large, which counts for nothing."""
    try:
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=60) as connection:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 20000000\r\n\r\n")
            return b" 413 " in connection.recv(1000)
    except OSError:
        return False


def test_a_web_process_is_replaced_after_its_requests_and_finishes_what_it_has_begun(servers, world):
    tenant = world["tk4q9w"]
    with web_server(servers, "--max-requests=40", "--max-requests-jitter=0") as web, ThreadPoolExecutor() as threads:
        person = Person(Web(web.url), f"analyst-{tenant.id}")
        (first,) = processes(web)
        long = "SELECT count(*) FROM generate_series(1, 10000000) AS n"
        asked = threads.submit(ask, person, *Requests(tenant).sql(long))
        for _ in range(20):
            assert health(web) == 200
        assert first in processes(web)
        wait_until(lambda: health(web) is None or first not in processes(web), 60)
        assert asked.result() == 200
        wait_until(lambda: first not in processes(web) and health(web) == 200, 150)


def test_a_web_process_is_replaced_above_its_memory(servers, app):
    with web_server(servers, **{SETTINGS: "--config=python:small_memory"}) as web:
        (first,) = processes(web)
        assert all(is_refused(web) for _ in range(5))
        assert processes(web) == {first}
        assert health(web) == 200
        wait_until(lambda: first not in processes(web), 120)


@pytest.mark.parametrize(
    "replaced, is_replaced",
    [
        ({}, False),
        ({"--max-tasks-per-child=200": "--max-tasks-per-child=2"}, True),
        ({"--max-memory-per-child=700000": "--max-memory-per-child=1000"}, True),
    ],
    ids=["as deployed", "tasks", "memory"],
)
def test_a_child_of_a_worker_is_replaced(servers, app, replaced, is_replaced):
    from superset.extensions import celery_app

    assert set(replaced) <= set(servers.commands["worker"])
    with servers.running("worker", f"--queues={QUEUE}", **replaced) as worker:
        run(celery_app)
        before = processes(worker)
        for _ in range(6):
            run(celery_app)
        end = time.monotonic() + (30 if is_replaced else 3)
        while not before - processes(worker) and time.monotonic() < end:
            time.sleep(0.2)
        assert bool(before - processes(worker)) is is_replaced
        # A new child works, too.
        run(celery_app)


def run(celery_app) -> None:
    """A task that does nothing."""
    celery_app.send_task("celery.backend_cleanup", queue=QUEUE).get(timeout=150)
