"""One table of time-outs: what waits for something ends after it, so that a user reads the reason of what ended first."""

import pytest

#: What waits, and what it waits for, one after the other.
WAITS_FOR = [
    ("page", ["loadBalancerIdle"]),
    ("loadBalancerIdle", ["request"]),
    ("keepAlive", ["loadBalancerIdle"]),
    ("request", ["metadataPool", "tenantPool", "statement"]),
    # What has waited for its turn has that much less time for its queries.
    ("request", ["admission", "metadataPool", "tenantPool"]),
    ("statement", ["tenantPool"]),
    ("metadataPool", ["secretsManager"]),
    ("tenantPool", ["secretsManager"]),
    ("asynchronousSoft", ["tenantPool", "longestStatement"]),
    ("asynchronousHard", ["asynchronousSoft"]),
    ("brokerVisibility", ["asynchronousHard"]),
    ("longestStatement", ["statement"]),
]


@pytest.mark.parametrize("waits, awaited", WAITS_FOR, ids=[f"{waits}-{awaited[0]}" for waits, awaited in WAITS_FOR])
def test_what_is_waited_for_ends_first(waits, awaited):
    from superset_tenancy.timeouts import TIMEOUTS

    assert TIMEOUTS[waits] > sum(TIMEOUTS[each] for each in awaited)


def test_each_is_in_the_order():
    from superset_tenancy.timeouts import TIMEOUTS

    named = {name for waits, awaited in WAITS_FOR for name in (waits, *awaited)}
    assert set(TIMEOUTS) - named == {"valkey", "metadataConnect"}


def test_superset_and_the_web_server_take_them(app, servers):
    from superset import db
    from superset.extensions import celery_app

    from superset_tenancy.connections import pools
    from superset_tenancy.timeouts import TIMEOUTS
    from world import all_metadata

    assert app.config["SUPERSET_WEBSERVER_TIMEOUT"] == TIMEOUTS["page"]
    assert app.config["SQLLAB_TIMEOUT"] == TIMEOUTS["request"]
    assert pools.PATIENCE == TIMEOUTS["tenantPool"]
    assert f"--keep-alive={TIMEOUTS['keepAlive']}" in servers.commands["web"]
    task = celery_app.tasks["sql_lab.get_sql_results"]
    assert (task.soft_time_limit, task.time_limit) == (TIMEOUTS["asynchronousSoft"], TIMEOUTS["asynchronousHard"])
    with all_metadata(app):
        pool = db.engine.pool
        assert pool._timeout == TIMEOUTS["metadataPool"]


def test_the_pool_of_metadata_has_a_connection_for_each_request_at_work(app):
    from superset import db

    from superset_tenancy.admission.middleware import OF_REQUESTS
    from world import all_metadata

    with all_metadata(app):
        assert db.engine.pool.size() >= OF_REQUESTS.together


def test_a_query_ends_when_the_page_no_longer_waits(app, me, monkeypatch):
    from superset_tenancy.admission import middleware

    monkeypatch.setitem(middleware.TIMEOUTS, "request", 2)
    answer = me.analyst.sql(me.database, "SELECT count(*) FROM generate_series(1, 100000000) a, generate_series(1, 100000) b")
    assert answer.status_code != 200 and "Run it asynchronously in SQL Lab" in answer.text, answer.text
    monkeypatch.undo()
    assert me.analyst.sql(me.database, "SELECT 1").status_code == 200
