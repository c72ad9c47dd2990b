"""The guard looks at SQL that is run later, streamed or estimated as at SQL that is run at once."""

import pytest
from test_attacks import run_async
from test_chaos import web_server
from test_defences import without_guard_of_sql

from world import Person, Web, all_metadata, rows

REFUSED = "SELECT format_type(16384, NULL) AS n"
OWN = "SELECT count(*) AS n FROM orders"


def is_refused(text: str) -> bool:
    return "format_type is not allowed here" in text


@pytest.fixture
def stored_before(app, me):
    """The client id of a query that was run at a time when its SQL was allowed."""
    from superset import db
    from superset.models.sql_lab import Query

    def make(sql: str) -> str:
        client_id = me.analyst.sql(me.database, OWN).json["query"]["id"]
        with all_metadata(app):
            query = db.session.query(Query).filter_by(client_id=client_id).one()
            query.sql = query.select_sql = query.executed_sql = sql
            query.results_key = None
            db.session.commit()
        return client_id

    return make


def test_an_asynchronous_query_is_refused_when_it_is_asked_for(me, worker):
    answer = me.analyst.sql(me.database, REFUSED, runAsync=True)
    assert answer.status_code == 403 and is_refused(answer.text), answer.text
    assert run_async(me.analyst, me.database, OWN)["status"] == "success"


def test_an_asynchronous_query_is_refused_by_the_worker_too(app, servers, me, worker):
    with without_guard_of_sql(app, servers):
        query = run_async(me.analyst, me.database, REFUSED)
    assert query["status"] == "failed" and is_refused(query["error_message"]), query


@pytest.mark.parametrize("path", ["/api/v1/sqllab/export/{id}/", "/api/v1/sqllab/export_streaming/"])
def test_a_download_is_refused(me, stored_before, path):
    def download(client_id):
        if "{id}" in path:
            return me.analyst.get(path.format(id=client_id)).text
        return me.analyst.client.post(path, data={"client_id": client_id}, headers=me.analyst.headers).text

    assert str(me.orders) in download(stored_before(OWN))
    text = download(stored_before(REFUSED))
    assert is_refused(text), text


def test_an_estimate_is_not_given(app, me, every_route):
    """By the list of routes, by the roles' permissions, and by the Database, each of which is enough."""
    for sql in (OWN, REFUSED):
        body = {"database_id": me.database, "sql": sql, "schema": "analytics", "template_params": {}}
        answer = me.analyst.post("/api/v1/sqllab/estimate/", body)
        assert answer.status_code in (403, 404), answer.text


@pytest.fixture
def margin(servers):
    """A function of the operator's, which a tenant may call."""
    servers.as_superuser(
        "CREATE FUNCTION analytics.margin(numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS 'SELECT $1 / 4';"
        "GRANT EXECUTE ON FUNCTION analytics.margin TO PUBLIC"
    )
    yield "SELECT analytics.margin(8) AS n"
    servers.as_superuser("DROP FUNCTION analytics.margin")


def test_an_operators_function_runs_where_the_tasks_variable_names_it(servers, world, margin):
    """The variable is the one that the task definitions have: test/tenancy looks at them."""
    me = world["tk4q9w"]
    refused = me.analyst.sql(me.database, margin)
    assert refused.status_code == 403 and "margin is not allowed here" in refused.text, refused.text
    with web_server(servers, {"SUPERSET_ALLOWED_SQL_FUNCTIONS": "analytics.margin"}) as url:
        person = Person(Web(url), f"analyst-{me.id}")
        assert [float(row["n"]) for row in rows(person.sql(me.database, margin))] == [2.0]
        assert person.sql(me.database, REFUSED).status_code == 403
