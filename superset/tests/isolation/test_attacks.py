"""What a tenant's analyst may type, and what comes of it: nothing of another tenant.

PostgreSQL refuses all of it by itself (test/postgres/attacks.ts); here it is asked through Superset, where a pool, a cache and a
second user could carry something over.
"""

import time
import uuid

import pytest
import test_caches

from world import Person, adhoc, all_metadata, rows

#: {value}, {role} and {schema} are those of the other tenant.
STATEMENTS = {
    "session variable": "SET app.current_tenant = '{value}'; SELECT * FROM orders",
    "set_config in a CTE": "WITH c AS (SELECT set_config('app.current_tenant', '{value}', false)) SELECT * FROM orders, c",
    "SET ROLE": "SET ROLE {role}; SELECT * FROM orders",
    "set role in lower case": "set role {role}; select * from orders",
    "set_config of the role": "SELECT set_config('role', '{role}', false), customer FROM orders",
    "SET SESSION AUTHORIZATION": "SET SESSION AUTHORIZATION {role}; SELECT * FROM orders",
    "row_security off": "SET row_security = off; SELECT * FROM orders",
    "alter role and commit": "alter role current_user bypassrls; commit; select * from orders",
    "own password and commit": "alter role current_user password 'x'; commit; select 1",
    "a filter for the other": "SELECT * FROM orders WHERE tenant_id = '{value}'",
    "the other's schema": "SELECT * FROM {schema}.notes",
    "the other's partition": "SELECT * FROM tenancy_partitions.events_{id}",
    "query_to_xml": "SELECT query_to_xml('SELECT * FROM analytics.orders', true, false, '')",
    "mapping": "SELECT * FROM tenancy.tenant",
    "prepare": "PREPARE p AS SELECT * FROM orders WHERE tenant_id = '{value}'; EXECUTE p",
    "do block": "DO $$ BEGIN PERFORM set_config('role', '{role}', false); END $$; SELECT * FROM orders",
    "copy": "COPY orders TO STDOUT",
    "other database": "SELECT * FROM metadata.public.ab_user",
    "dblink": "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(n int)",
    "explain analyze": "EXPLAIN ANALYZE SELECT * FROM orders",
    "sessions": "SELECT query FROM pg_stat_activity",
}

EXPRESSIONS = {
    "set_config": "max(set_config('role', '{role}', false))",
    "variable": "max(set_config('app.current_tenant', '{value}', false))",
    "query_to_xml": "max(query_to_xml('SELECT * FROM analytics.orders', true, false, '')::text)",
    "subquery": "(SELECT max(customer) FROM analytics.orders WHERE tenant_id = '{value}')",
}


#: Runs until somebody stops it.
LONG = "SELECT count(*) FROM orders first, orders second, orders third"


def meant_for(other, text: str) -> str:
    return text.format(value=other.value, role=f"tenant_{other.id}", schema=f"tenant_{other.id}", id=other.id)


def assert_nothing_foreign(answer, other) -> None:
    assert other.canary not in answer.text
    assert f"'n': {other.orders}" not in str(answer.json.get("data", "") if answer.is_json else "")


@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_typed_in_sql_lab(me, other, statement):
    assert_nothing_foreign(me.analyst.sql(me.database, meant_for(other, statement)), other)


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
@pytest.mark.parametrize("place", ["metric", "column", "where", "having", "order"])
def test_typed_in_explore(me, other, expression, place):
    typed = adhoc(meant_for(other, expression), "typed")
    query = {
        "metric": {"metrics": [adhoc("max(customer)"), typed]},
        "column": {"columns": [typed], "metrics": []},
        "where": {"extras": {"where": f"({typed['sqlExpression']}) IS NOT NULL"}, "metrics": [adhoc("max(customer)")]},
        "having": {"extras": {"having": f"({typed['sqlExpression']}) IS NOT NULL"}, "metrics": [adhoc("max(customer)")]},
        "order": {"orderby": [[typed, True]], "metrics": [adhoc("max(customer)")]},
    }[place]
    assert_nothing_foreign(me.analyst.chart_data(me.datasets["orders"], **query), other)


def test_set_config_in_a_metric_is_refused_with_a_reason(me, other):
    answer = me.analyst.chart_data(me.datasets["orders"], metrics=[adhoc(meant_for(other, EXPRESSIONS["set_config"]))])
    assert answer.status_code in (400, 403) and "set_config is not allowed here" in answer.text, answer.text


def test_a_statement_other_than_a_query_is_refused_with_a_reason(me):
    answer = me.analyst.sql(me.database, "SET work_mem = '1GB'")
    assert answer.status_code == 403 and "SET" in answer.json["errors"][0]["message"], answer.text


def test_explain_and_show_are_for_whom_an_operator_lets(app, me):
    """By a role beside the tenant's; EXPLAIN ANALYZE for nobody."""
    from superset import db, security_manager

    def answers() -> list[int]:
        # Another role ends the sign-ins that were there.
        analyst = Person(app.test_client(), me.analyst.username)
        asked = ("EXPLAIN SELECT * FROM orders", "SHOW work_mem", "EXPLAIN ANALYZE SELECT * FROM orders")
        return [analyst.sql(me.database, statement).status_code for statement in asked]

    def give(change) -> None:
        with all_metadata(app):
            user = security_manager.find_user(me.analyst.username)
            change(user.roles, security_manager.find_role("tenancy:explain"))
            db.session.commit()

    assert answers() == [403, 403, 403]
    give(lambda roles, role: roles.append(role))
    try:
        assert answers() == [200, 200, 403]
    finally:
        give(lambda roles, role: roles.remove(role))


@pytest.mark.parametrize("catalog", ["postgres", "template1", "rdsadmin"])
def test_the_catalog_parameter_does_not_leave_the_tenants_database(me, catalog):
    answer = me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders", catalog=catalog)
    assert rows(answer) == [{"n": me.orders}]


def test_a_permission_given_by_mistake_on_a_foreign_database_opens_nothing(app, me, other):
    from superset import db, security_manager
    from superset.models.core import Database

    from superset_tenancy import names

    with all_metadata(app):
        role = security_manager.find_role(names.role_name(me.id, "analyst"))
        foreign = db.session.get(Database, other.database)
        permission = security_manager.find_permission_view_menu("database_access", foreign.perm)
        role.permissions.append(permission)
        db.session.commit()
    try:
        answers = [
            me.analyst.sql(other.database, "SELECT customer FROM orders"),
            me.analyst.chart_data(other.datasets["orders"]),
            me.analyst.get(f"/api/v1/database/{other.database}/schemas/"),
        ]
        assert [answer.status_code == 200 for answer in answers] == [False] * 3, [a.text for a in answers]
    finally:
        with all_metadata(app):
            role = security_manager.find_role(names.role_name(me.id, "analyst"))
            role.permissions = [p for p in role.permissions if p.view_menu.name != permission_name(other)]
            db.session.commit()


def permission_name(tenant) -> str:
    from superset import db
    from superset.models.core import Database

    return db.session.get(Database, tenant.database).perm


def test_the_platform_administrator_gets_no_chart_data_cached_or_not(me, platform):
    query = {"metrics": [adhoc("COUNT(*)", f"n{uuid.uuid4().hex[:6]}")], "force": False}
    assert me.analyst.chart_data(me.datasets["orders"], **query).status_code == 200
    answer = platform.chart_data(me.datasets["orders"], **query)
    assert str(me.orders) not in answer.text, answer.text


def test_the_cache_serves_a_tenant_its_own_again(me):
    query = {"metrics": [adhoc("COUNT(*)", f"n{uuid.uuid4().hex[:6]}")], "force": False}
    first, second = (me.analyst.chart_data(me.datasets["orders"], **query).json["result"][0] for _ in range(2))
    assert (first["is_cached"], second["is_cached"]) == (None, True)
    assert first["data"] == second["data"]


def test_the_cache_never_serves_the_other(app, me, other):
    """The same question, to datasets of the same name, one after the other."""
    test_caches.forget_all(app)
    for asks in (me, other):
        answer = asks.analyst.chart_data(asks.datasets["orders"], force=False)
        assert rows(answer) == [{"n": asks.orders}]


def run_async(person, database: int, sql: str, **options) -> dict:
    """SQL Lab through Celery; the query when it has ended."""
    answer = person.sql(database, sql, runAsync=True, **options)
    assert answer.status_code == 202, answer.text
    id = answer.json["query"]["queryId"]
    # A worker that has just been started loads Superset first, for half a minute on a busy machine.
    for _ in range(600):
        query = person.get(f"/api/v1/query/{id}").json["result"]
        if query["status"] in ("success", "failed", "stopped", "timed_out"):
            return query
        time.sleep(0.2)
    raise AssertionError(f"the query did not end: {query}")


def results(person, key: str):
    return person.get(f"/api/v1/sqllab/results/?q=(key:'{key}')")


def test_async_sql_lab(me, worker):
    query = run_async(me.analyst, me.database, "SELECT count(*) AS n FROM orders")
    assert rows(results(me.analyst, query["results_key"])) == [{"n": me.orders}]


def test_results_by_key_are_not_for_the_other(me, other, platform, worker):
    query = run_async(me.analyst, me.database, "SELECT customer FROM orders")
    for stranger in (other.analyst, other.viewer, platform):
        answer = results(stranger, query["results_key"])
        assert answer.status_code != 200 and me.canary not in answer.text
        answer = stranger.get(f"/api/v1/sqllab/export/{query['client_id']}/")
        assert answer.status_code != 200 and me.canary not in answer.text


@pytest.mark.parametrize("path", ["/api/v1/sqllab/export/{id}/", "/api/v1/sqllab/export_streaming/"])
def test_csv_of_sql_lab(me, other, path):
    """Asked again of PostgreSQL, as a file and as a stream."""
    id = me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders").json["query"]["id"]

    def download(person):
        return (
            person.get(path.format(id=id))
            if "{id}" in path
            else person.client.post(path, data={"client_id": id}, headers=person.headers)
        )

    assert download(me.analyst).text.replace("\ufeff", "").split() == ["n", str(me.orders)]
    assert str(me.orders) not in download(other.analyst).text


def test_only_who_runs_a_query_stops_it(me, other, servers, worker):
    answer = me.analyst.sql(me.database, LONG, runAsync=True)
    query = answer.json["query"]
    wait_until(lambda: running(servers, me))
    refused = other.analyst.post("/api/v1/query/stop", {"client_id": query["id"]})
    still = running(servers, me)
    stopped = me.analyst.post("/api/v1/query/stop", {"client_id": query["id"]})
    assert refused.status_code == 404 and still
    assert stopped.status_code == 200, stopped.text
    wait_until(lambda: not running(servers, me))


def running(servers, tenant) -> bool:
    return bool(
        servers.as_superuser(
            "SELECT 1 FROM pg_stat_activity WHERE usename = %s AND state = 'active' AND query LIKE '%%third%%'",
            f"tenant_{tenant.id}",
        )
    )


def wait_until(condition, seconds: float = 30, seen: object = "") -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in time {seen}"
        time.sleep(0.1)
