"""What one tenant can ask for that is expensive, all at once, and what another sees of it: for a test, and for the benchmark."""

import multiprocessing
import os
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import requests

from world import Person, adhoc, query_context

#: Ends with the role's time limit only.
ENDLESS = "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 100000) AS b"

CHARTS_OF_A_DASHBOARD = 12
AT_ONCE = 40


class Requests:
    """Of one tenant, over HTTP: (path, body) pairs."""

    def __init__(self, tenant):
        self.tenant = tenant

    def sql(self, sql: str, asynchronous: bool = False):
        body = {"database_id": self.tenant.database, "sql": sql, "client_id": uuid.uuid4().hex[:10], "schema": "analytics"}
        return "/api/v1/sqllab/execute/", {**body, "runAsync": asynchronous, "queryLimit": 1000}

    def chart(self, **query):
        return "/api/v1/chart/data", query_context(self.tenant.datasets["orders"], **query)

    def expensive(self):
        """One of each kind, over and over."""
        nested = "ARRAY[" * 20 + "1" + "]" * 20
        histogram = {"operation": "histogram", "options": {"column": "n", "groupby": [], "bins": 100_000}}
        while True:
            yield self.sql(ENDLESS)
            yield self.sql(ENDLESS, asynchronous=True)
            yield self.chart(metrics=[adhoc("repeat('x', 100000000)")])
            yield self.chart(metrics=[adhoc("repeat('x', 9000000)")])
            yield self.chart(post_processing=[histogram])
            yield self.sql(f"SELECT {nested} AS n")
            yield self.chart(metrics=[adhoc(nested)])
            yield self.sql("SELECT '{{ \"x\" * 400000000 }}' AS n")
            yield self.chart(metrics=[adhoc("max('{{ \"x\" * 400000000 }}')")])
            yield self.sql("SELECT n, repeat('x', 200) FROM generate_series(1, 100000) AS n")


def ask(person: Person, path: str, body: dict, seconds: float = 120) -> int:
    return _post(person.client.url + path, _headers(person), body, seconds)


def _headers(person: Person) -> dict:
    return {**person.headers, **person.client._with_cookies(None)}


def _post(url: str, headers: dict, body: dict, seconds: float) -> int:
    return requests.post(url, json=body, headers=headers, timeout=seconds).status_code


@contextmanager
def attack(person: Person, tenant, cores: set[int] | None = None):
    """So many requests at once, a new one for each that ends, by a process of its own; what was answered is there afterwards."""
    processes = multiprocessing.get_context("spawn")
    over, answers, answered = processes.Event(), processes.Queue(), Counter()
    asked = SimpleNamespace(database=tenant.database, datasets=dict(tenant.datasets))
    attacker = processes.Process(target=_go_on, args=(person.client.url, _headers(person), asked, over, answers), daemon=True)
    attacker.start()
    if cores:
        give_cores(cores, attacker.pid)
    answers.get(timeout=60)
    try:
        yield answered
    finally:
        over.set()
        answered.update(answers.get(timeout=90))
        attacker.join(60)


def _go_on(url: str, headers: dict, tenant, over, answers) -> None:
    answered, lock = Counter(), threading.Lock()
    expensive = Requests(tenant).expensive()

    def ask_again() -> None:
        while not over.is_set():
            with lock:
                path, body = next(expensive)
            try:
                status = _post(url + path, headers, body, 20)
            except requests.RequestException:
                status = "no answer"
            with lock:
                answered[status] += 1

    threads = [threading.Thread(target=ask_again, daemon=True) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    answers.put("begun")
    for thread in threads:
        thread.join()
    answers.put(dict(answered))


@contextmanager
def busy_queries(superuser, count: int):
    """So many queries in PostgreSQL that only compute, without Superset: what the machine's cores have left for the rest."""
    connections = [psycopg2.connect(**superuser) for _ in range(count)]
    threads = [threading.Thread(target=_until_cancelled, args=(connection,), daemon=True) for connection in connections]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for connection in connections:
            connection.cancel()
        for thread in threads:
            thread.join(60)
        for connection in connections:
            connection.close()


def _until_cancelled(connection) -> None:
    with suppress(psycopg2.errors.QueryCanceled):
        connection.cursor().execute(ENDLESS)


def dashboard(person: Person, tenant) -> tuple[list[int], float]:
    """The charts of a dashboard at once, as a browser asks for six at a time; statuses and seconds."""
    charts = [Requests(tenant).chart(row_limit=100 + number) for number in range(CHARTS_OF_A_DASHBOARD)]
    began = time.monotonic()
    with ThreadPoolExecutor(6) as browser:
        statuses = list(browser.map(lambda chart: ask(person, *chart), charts))
    return statuses, time.monotonic() - began


def give_cores(cores: set[int], pid: int) -> None:
    """To a process with all that it has started; what it starts later has them, too."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)
        for child in (thread / "children").read_text().split():
            give_cores(cores, int(child))


def memory_of_children(pid: int) -> dict[int, int]:
    """Resident MiB of each child of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return {int(child): resident(int(child)) for child in children}


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 // 1024**2
    except FileNotFoundError:
        return 0


def end_queries(app, servers, tenant) -> None:
    """Nothing that was asked for is left for the next test: a task that met another of its tenant's comes back after a second."""
    from superset.extensions import celery_app

    ended = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE usename = %s AND state = 'active' AND query_start < now() - interval '1 second'"
    )
    quiet = 0
    while quiet < 3:
        celery_app.control.purge()
        ((running,),) = servers.as_superuser(ended, f"tenant_{tenant.id}")
        quiet = 0 if running else quiet + 1
        time.sleep(1)
    app.config["ADMISSION_REDIS"].delete(f"tenancy_asynchronous_{tenant.id}")
