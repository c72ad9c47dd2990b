"""One tenant asks for all that is expensive at once: another's dashboard has no error, and processes stay within their task."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import requests
from attack import Requests, ask, attack, dashboard, end_queries, memory_of_children
from test_attacks import wait_until
from test_chaos import answers

from world import Person, Web

#: MiB of a web task, which runs two processes and what starts them.
OF_TASK = 2048
SECONDS = 25


@pytest.fixture(scope="module")
def web(servers, world):
    """The web server as its task definition starts it, with the environment of its image."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    # What the attack has begun is not waited for at the end.
    replaced = {"--bind=0.0.0.0:8088": f"--bind=127.0.0.1:{port}", "--graceful-timeout=100": "--graceful-timeout=5"}
    with servers.running("web", environment={"MALLOC_ARENA_MAX": "2"}, **replaced) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}"), 120)
        process.url = f"http://127.0.0.1:{port}"
        yield process


def test_another_tenants_dashboard_has_no_error_and_the_health_check_answers(web, world, app, servers):
    attacker, victim = world["tk4q9w"], world["tz81mm"]
    them, me = (Person(Web(web.url), f"analyst-{tenant.id}") for tenant in (attacker, victim))
    assert set(dashboard(me, victim)[0]) == {200}
    largest, health = 0, []
    with attack(them, attacker) as answered:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            statuses, _ = dashboard(me, victim)
            assert set(statuses) == {200}, statuses
            health.append(requests.get(f"{web.url}/health", timeout=10).status_code)
            largest = max(largest, sum(memory_of_children(web.pid).values()))
    assert set(health) == {200} and len(health) > 1
    assert answered[429] > 0, answered
    assert not {500, 502, 503, 504} & set(answered), answered
    assert largest < OF_TASK, (largest, answered)
    print(f"\nlargest {largest} MiB, answers {dict(answered)}, dashboards {len(health)}")
    end_queries(app, servers, attacker)


def test_charts_on_a_locked_table_hold_no_thread_of_another(web, world, servers):
    """A loader has the table for itself for a while, and a tenant asks for eighty charts on it."""
    attacker, victim = world["tk4q9w"], world["tz81mm"]
    them, me = (Person(Web(web.url), f"analyst-{tenant.id}") for tenant in (attacker, victim))
    loader = psycopg2.connect(**servers.superuser)
    with loader.cursor() as cursor, ThreadPoolExecutor(80) as threads:
        cursor.execute("LOCK TABLE analytics.orders IN ACCESS EXCLUSIVE MODE")
        charts = [threads.submit(ask, them, *Requests(attacker).chart(row_limit=i + 1)) for i in range(80)]
        wait_until(lambda: sum(chart.done() for chart in charts) > 40, 60)
        refused = [chart.result() for chart in charts if chart.done()]
        assert 429 in refused
        assert requests.get(f"{web.url}/health", timeout=10).status_code == 200
        answer = me.sql(victim.database, "SELECT 1 AS n")
        assert answer.status_code == 200, answer.text
        assert sum(not chart.done() for chart in charts) >= 1
        loader.rollback()
        assert {chart.result() for chart in charts} <= {200, 400, 429}
    loader.close()
