"""Asynchronous queries of one tenant are bounded, and do not hold all children of a worker."""

import time

import pytest
from test_attacks import wait_until

ENDLESS = "SELECT count(*) FROM generate_series(1, 100000000) AS a, generate_series(1, 100000) AS b"


@pytest.fixture(autouse=True)
def nothing_left(app, world):
    """Queries that were asked for when no worker ran."""
    yield
    from superset.extensions import celery_app

    celery_app.control.purge()
    redis = app.config["ADMISSION_REDIS"]
    for key in redis.keys("tenancy_asynchronous_*"):
        redis.delete(key)


def ask(tenant, sql="SELECT 1 AS n"):
    return tenant.analyst.sql(tenant.database, sql, runAsync=True)


class TestAsking:
    def test_more_than_so_many_are_refused_with_the_reason(self, me, other):
        from superset_tenancy.admission.asynchronous import AT_ONCE

        answers = [ask(me) for _ in range(AT_ONCE + 2)]
        assert [answer.status_code for answer in answers] == [202] * AT_ONCE + [429] * 2, answers[-1].text
        assert f"{AT_ONCE} asynchronous queries queued or running" in answers[-1].json["errors"][0]["message"]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert ask(other).status_code == 202

    def test_what_a_killed_worker_left_counts_until_it_expires(self, app):
        from superset_tenancy.admission import asynchronous

        redis = app.config["ADMISSION_REDIS"]
        queries = asynchronous.AsynchronousQueries(redis)
        assert all(queries.take("gone", number) for number in range(asynchronous.AT_ONCE))
        assert not queries.take("gone", 99)
        redis.zadd("tenancy_asynchronous_gone", {"0": time.time() - 1})
        assert queries.take("gone", 99)

    def test_the_same_query_counts_once(self, app):
        from superset_tenancy.admission import asynchronous

        queries = asynchronous.AsynchronousQueries(app.config["ADMISSION_REDIS"])
        assert all(queries.take("again", 1) for _ in range(asynchronous.AT_ONCE + 1))
        queries.release("again", 1)


class TestRunning:
    def test_endless_queries_of_one_tenant_leave_a_child_for_another(self, world, worker, app):
        attacker, victim = world["tk4q9w"], world["tz81mm"]
        asked = [ask(attacker, ENDLESS).json["query"] for _ in range(4)]
        try:
            wait_until(lambda: "running" in states(app, [query["queryId"] for query in asked]), 150)
            query = ask(victim).json["query"]
            assert finished(app, query["queryId"]) == "success"
            assert sorted(states(app, [query["queryId"] for query in asked])) == ["pending"] * 3 + ["running"]
        finally:
            for query in asked:
                attacker.analyst.post("/api/v1/query/stop", {"client_id": query["id"]})
            for query in asked:
                finished(app, query["queryId"], wanted={"stopped", "failed", "timed_out"})

    def test_a_query_that_ended_makes_room(self, me, worker, app):
        from superset_tenancy.admission.asynchronous import AT_ONCE

        for _ in range(AT_ONCE + 2):
            answer = ask(me)
            assert answer.status_code == 202, answer.text
            assert finished(app, answer.json["query"]["queryId"]) == "success"


def states(app, queries):
    from superset import db
    from superset.models.sql_lab import Query

    from world import all_metadata

    with all_metadata(app):
        return [db.session.get(Query, query).status for query in queries]


def finished(app, query, wanted=frozenset({"success", "failed"})):
    end = time.monotonic() + 150
    while time.monotonic() < end:
        (state,) = states(app, [query])
        if state in wanted:
            return state
        time.sleep(0.3)
    raise AssertionError(f"query {query} is {state} after minutes")
