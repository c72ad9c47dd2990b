"""Whoever closes the page, or whose request has reached its time, leaves no query behind in PostgreSQL."""

import http.client
import json
import os
import signal
import time
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg2
import pytest
from attack import ENDLESS, Requests
from test_attacks import wait_until
from test_under_attack import web  # noqa: F401 - a fixture

from world import Person, Web, adhoc

#: Seconds in which a query without a client has ended.
SOON = 8


@pytest.fixture
def asking(web, world):  # noqa: F811 - a fixture
    """Sends a request of a tenant's analyst on a connection that is its own; yields the connection."""
    me = world["tk4q9w"]
    person = Person(Web(web.url), f"analyst-{me.id}")

    @contextmanager
    def asking(path, body):
        connection = http.client.HTTPConnection(urlsplit(web.url).netloc, timeout=60)
        headers = {**person.headers, **person.client._with_cookies(None), "Content-Type": "application/json"}
        connection.request("POST", path, json.dumps(body), headers)
        yield connection
        connection.close()

    asking.tenant = me
    return asking


@pytest.fixture
def running(servers):
    """How many queries with such a text run in PostgreSQL."""
    count = "SELECT count(*) FROM pg_stat_activity WHERE state <> 'idle' AND query LIKE %s AND pid <> pg_backend_pid()"
    return lambda mark: servers.as_superuser(count, f"%{mark}%")[0][0]


def marked(sql: str) -> tuple[str, str]:
    """The query with a column that tells it from all others."""
    mark = f"mark_{time.monotonic_ns()}"
    return sql.replace("count(*)", f"count(*) AS {mark}"), mark


def test_a_client_that_leaves_takes_its_query_along(asking, running):
    sql, mark = marked(ENDLESS)
    with asking(*Requests(asking.tenant).sql(sql)):
        wait_until(lambda: running(mark) == 1)
    wait_until(lambda: running(mark) == 0, SOON)


def test_a_chart_that_waits_for_a_lock_is_given_up_with_its_client(asking, running, servers):
    mark = f"mark_{time.monotonic_ns()}"
    loader = psycopg2.connect(**servers.superuser)
    try:
        with loader.cursor() as cursor:
            cursor.execute("LOCK TABLE analytics.orders IN ACCESS EXCLUSIVE MODE")
        with asking(*Requests(asking.tenant).chart(metrics=[adhoc("count(*)", mark)])):
            wait_until(lambda: running(mark) == 1)
        wait_until(lambda: running(mark) == 0, SOON)
    finally:
        loader.close()


def test_a_client_that_waits_gets_its_answer(asking, running):
    """Also one whose next request is sent before: what is to be read is not the end of the connection."""
    sql, mark = marked("SELECT count(*) FROM generate_series(1, 30000000) AS a")
    with asking(*Requests(asking.tenant).sql(sql)) as connection:
        wait_until(lambda: running(mark) == 1)
        connection.sock.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = connection.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["data"] == [{mark: 30_000_000}]


def test_the_connection_of_a_query_that_was_cancelled_is_not_used_again(asking, running):
    for _ in range(8):
        sql, mark = marked(ENDLESS)
        with asking(*Requests(asking.tenant).sql(sql)):
            wait_until(lambda: running(mark) == 1)  # noqa: B023 - in this round
    wait_until(lambda: running("mark_") == 0, SOON)
    with asking(*Requests(asking.tenant).sql("SELECT 1 AS n")) as connection:
        assert connection.getresponse().status == 200


def test_a_process_that_is_killed_leaves_no_query(web, asking, running):  # noqa: F811 - a fixture
    sql, mark = marked(ENDLESS)
    with asking(*Requests(asking.tenant).sql(sql)):
        wait_until(lambda: running(mark) == 1)
        with open(f"/proc/{web.pid}/task/{web.pid}/children") as children:
            for child in children.read().split():
                os.kill(int(child), signal.SIGKILL)
        wait_until(lambda: running(mark) == 0, 5 + SOON)
