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
from test_chaos import answers

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
    path = os.pathsep.join([str(Path(__file__).parents[2]), str(Path(__file__).parent)])
    with servers.running("web", *arguments, environment={"PYTHONPATH": path}, **words) as process:
        process.url = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(process.url), 120)
        yield process


def processes(server) -> set[int]:
    return set(memory_of_children(server.pid))


def health(server, **options) -> int:
    return requests.get(f"{server.url}/health", timeout=60, **options).status_code


def test_a_web_process_is_replaced_after_its_requests_and_finishes_what_it_has_begun(servers, world):
    tenant = world["tk4q9w"]
    with web_server(servers, "--max-requests=40", "--max-requests-jitter=0") as web, ThreadPoolExecutor() as threads:
        person = Person(Web(web.url), f"analyst-{tenant.id}")
        (first,) = processes(web)
        long = "SELECT count(*) FROM generate_series(1, 40000000) AS n"
        asked = threads.submit(ask, person, *Requests(tenant).sql(long))
        for _ in range(20):
            assert health(web) == 200
        assert first in processes(web)
        for _ in range(20):
            assert health(web) == 200
        assert asked.result() == 200
        wait_until(lambda: processes(web) and first not in processes(web), 120)
        assert health(web) == 200


def test_a_web_process_is_replaced_above_its_memory(servers, app):
    with web_server(servers, **{SETTINGS: "--config=python:small_memory"}) as web:
        wait_until(lambda: len(processes(web)) == 1)
        (first,) = processes(web)
        too_large = {"Content-Length": str(20 * 1024 * 1024)}
        for _ in range(5):
            # What is refused counts for nothing.
            with socket.create_connection(("127.0.0.1", int(web.url.rpartition(":")[2]))) as connection:
                head = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "localhost", **too_large}.items())
                connection.sendall(f"POST /api/v1/chart/data HTTP/1.1\r\n{head}\r\n".encode())
                assert b" 413 " in connection.recv(1000)
        assert processes(web) == {first}
        assert health(web) == 200
        wait_until(lambda: processes(web) and first not in processes(web), 120)


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
