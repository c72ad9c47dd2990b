"""Under a light load of two tenants, what breaks heals by itself, and nobody ever gets a wrong row.

What the users saw meanwhile is printed: `-s` shows it.
"""

import json
import os
import signal
import socket
import threading
import time
from collections import Counter
from contextlib import contextmanager

import pytest
import requests
from test_attacks import LONG, results, run_async, running, wait_until

from world import Person, Web, adhoc, rows

#: Seconds that an event may be felt.
HEALED_WITHIN = 30


@pytest.fixture(scope="module")
def web(servers, world):
    """The web server of the template, on a port of its own."""
    with web_server(servers) as url:
        yield url


@pytest.fixture(scope="module")
def web_behind_proxy(servers, world):
    """One that goes to the tenants' server through the proxy."""
    from superset_tenancy.connections.credentials import login_of

    login = login_of("tk4q9w")
    proxies = {f"{login.host}:{login.port}": f"{servers.proxy['host']}:{servers.proxy['port']}"}
    with web_server(servers, {"SUPERSET_DATABASE_PROXIES": json.dumps(proxies)}) as url:
        yield url


@contextmanager
def web_server(servers, environment: dict[str, str] | None = None):
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with servers.running("web", environment=environment, **{"--bind=0.0.0.0:8088": f"--bind=127.0.0.1:{port}"}):
        wait_until(lambda: answers(url), 60)
        yield url


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/health", timeout=1).status_code == 200
    except requests.RequestException:
        return False


class Load:
    """Two tenants who each ask for their chart and their count in SQL Lab, all the time."""

    def __init__(self, url: str, world: dict) -> None:
        self.url = url
        self.world = world
        self.stopping = threading.Event()
        self.wrong: list[str] = []
        self.seen: Counter = Counter()
        self.last_right: dict[str, float] = {}

    @contextmanager
    def running(self):
        asking = [
            threading.Thread(target=self._ask, args=(tenant, kind)) for tenant in self.world.values() for kind in ("chart", "sql")
        ]
        for thread in asking:
            thread.start()
        try:
            yield
        finally:
            self.stopping.set()
            for thread in asking:
                thread.join()

    def _ask(self, tenant, kind: str) -> None:
        person = Person(Web(self.url), f"analyst-{tenant.id}")
        while not self.stopping.is_set():
            try:
                if kind == "chart":
                    answer = person.chart_data(tenant.datasets["orders"], metrics=[adhoc("COUNT(*)")])
                else:
                    answer = person.sql(tenant.database, "SELECT count(*) AS n FROM orders")
                if answer.status_code == 200:
                    if rows(answer) != [{"n": tenant.orders}]:
                        self.wrong.append(answer.text)
                    self.last_right[f"{tenant.id} {kind}"] = time.monotonic()
                    self.seen["right"] += 1
                else:
                    self.seen[f"{answer.status_code} {answer.text[:100]}"] += 1
                    # A page that is loaded again brings who was signed out to the login.
                    person = Person(Web(self.url), f"analyst-{tenant.id}")
            except (requests.RequestException, AssertionError) as error:
                self.seen[type(error).__name__] += 1
            time.sleep(0.05)

    def all_right_since(self, moment: float) -> bool:
        return len(self.last_right) == 4 and min(self.last_right.values()) > moment


def rotate_secret(servers, proxy_follows_after: float = 0):
    from superset_tenancy.connections.credentials import login_of

    login = login_of("tk4q9w")
    version = f"rotated-{time.time()}"
    servers.as_superuser("ALTER ROLE tenant_tk4q9w PASSWORD %s", version)
    value = {"username": login.username, "host": login.host, "port": str(login.port), "database": login.database}
    servers.set_secret("superset/tenant/tk4q9w/db_credentials", {**value, "password": version, "version": version})
    time.sleep(proxy_follows_after)
    servers.set_proxy_password("tenant_tk4q9w", version)


def rotate_secret_behind_proxy(servers):
    """The proxy's copy of the secret is old for a moment in which it has no session either."""
    kill = threading.Timer(0.2, kill_backends, (servers,))
    kill.start()
    rotate_secret(servers, proxy_follows_after=1)
    kill.join()


def restart_proxy(servers):
    servers.restart("proxy")


def kill_backends(servers):
    servers.as_superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename LIKE 'tenant_%'")


def restart_postgres(servers):
    servers.restart("postgres")


def restart_cache(servers):
    servers.restart("valkey")


@pytest.mark.parametrize("event", [rotate_secret, kill_backends, restart_postgres, restart_cache])
def test_heals(servers, world, web, event):
    heals(servers, world, web, event)


@pytest.mark.parametrize("event", [rotate_secret_behind_proxy, kill_backends, restart_postgres, restart_proxy])
def test_heals_behind_a_proxy(servers, world, web_behind_proxy, event):
    heals(servers, world, web_behind_proxy, event)


def heals(servers, world, web, event):
    load = Load(web, world)
    with load.running():
        wait_until(lambda: load.all_right_since(0), seen=load.seen)
        before = Counter(load.seen)
        event(servers)
        happened = time.monotonic()
        wait_until(lambda: load.all_right_since(happened), HEALED_WITHIN, load.seen)
        healed = time.monotonic() - happened
        # A while longer: what was in flight ends.
        time.sleep(1)
    assert load.wrong == []
    seen = load.seen - before
    print(f"\n{event.__name__}: all right again after {healed:.1f} s; users saw {dict(seen)}")


def test_a_killed_worker(servers, world):
    """A query that was running stays so for its user, who stops it; the next worker takes the next query."""
    tenant = world["tk4q9w"]
    with servers.running("worker") as worker:
        assert run_async(tenant.analyst, tenant.database, "SELECT 1 AS n")["status"] == "success"
        answer = tenant.analyst.sql(tenant.database, LONG, runAsync=True)
        wait_until(lambda: running(servers, tenant))
        # As a container ends: with all of its processes.
        os.killpg(worker.pid, signal.SIGKILL)
    with servers.running("worker"):
        query = run_async(tenant.analyst, tenant.database, "SELECT count(*) AS n FROM orders")
        assert rows(results(tenant.analyst, query["results_key"])) == [{"n": tenant.orders}]
        stopped = tenant.analyst.post("/api/v1/query/stop", {"client_id": answer.json["query"]["id"]})
        assert stopped.status_code == 200, stopped.text
        wait_until(lambda: not running(servers, tenant))
