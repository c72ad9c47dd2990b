"""A chart of a query's result, which "Create chart" in SQL Lab makes: for the person who ran the query, and for nobody else."""

import pytest
from accounts import Account
from browser import Browser

from world import adhoc, all_metadata, as_owner, query_context, rows


def with_table(tenant) -> str:
    return f"SELECT customer, amount FROM analytics.orders WHERE customer = '{tenant.canary}'"


def without_table(tenant) -> str:
    """Superset finds no table in it to ask permission for."""
    return f"SELECT '{tenant.canary}' AS customer"


TEXTS = pytest.mark.parametrize("text", [with_table, without_table])


def run(tenant, person=None, text=with_table) -> int:
    """The number of a query that finds the tenant's canary."""
    answer = (person or tenant.analyst).sql(tenant.database, text(tenant))
    assert answer.status_code == 200, answer.text
    return answer.json["query_id"]


def question(query: int, **asked) -> dict:
    return {**query_context(query, **asked), "datasource": {"id": query, "type": "query"}}


def chart_of(person, query: int, **asked):
    return person.post("/api/v1/chart/data", question(query, **asked))


def customers_of(person, query: int):
    return chart_of(person, query, columns=["customer"], metrics=[])


def page_of(person, query: int):
    return person.get(f"/api/v1/explore/?datasource_id={query}&datasource_type=query")


def new_analyst(app, tenant) -> Account:
    with as_owner(app):
        return Account(app, tenant.id)


def assert_refused(answer, tenant) -> None:
    assert answer.status_code in (403, 404), (answer.status_code, answer.text)
    assert tenant.canary not in answer.text


def test_of_an_own_query(me):
    query = run(me)
    assert rows(chart_of(me.analyst, query)) == [{"n": 1}]
    assert rows(customers_of(me.analyst, query)) == [{"customer": me.canary}]
    assert page_of(me.analyst, query).json["result"]["dataset"]["type"] == "query"


def test_samples_of_an_own_query(app, me, other):
    browser = Browser(app, me.analyst)
    path = "/datasource/samples?datasource_type=query&datasource_id={}&force=true"
    answer = browser.post(path.format(run(me)), json={})
    assert answer.status_code == 200 and me.canary in answer.text, answer.text
    assert_refused(browser.post(path.format(run(other)), json={}), other)


@TEXTS
def test_of_another_tenants_query(me, other, text):
    query = run(other, text=text)
    assert_refused(chart_of(me.analyst, query), other)
    assert_refused(customers_of(me.analyst, query), other)
    assert other.canary not in page_of(me.analyst, query).text


@TEXTS
def test_of_a_colleagues_query(app, me, text):
    query, colleague = run(me, text=text), new_analyst(app, me).program()
    assert_refused(customers_of(colleague, query), me)
    assert_refused(page_of(colleague, query), me)


@TEXTS
def test_by_a_viewer(me, other, text):
    for tenant in (me, other):
        assert_refused(customers_of(me.viewer, run(tenant, text=text)), tenant)


@TEXTS
@pytest.mark.parametrize("role", ["tenant:{me}:viewer", "tenant:{other}:analyst"])
def test_by_an_analyst_who_has_another_role_now(app, me, other, role, text):
    account = new_analyst(app, me)
    query = run(me, account.program(), text)
    name = role.format(me=me.id, other=other.id)
    account.change(lambda user, manager: setattr(user, "roles", [manager.find_role(name)]))
    assert_refused(customers_of(account.program(), query), me)


@TEXTS
def test_by_a_guest(me, other, guest_of, text):
    guest = guest_of(me, me.analyst.username)
    for tenant in (me, other):
        query = run(tenant, text=text)
        for form_data in ({}, {"dashboardId": me.dashboard, "slice_id": me.chart}):
            body = {**question(query, columns=["customer"], metrics=[]), "form_data": form_data}
            assert_refused(guest.client.post("/api/v1/chart/data", json=body, headers=guest.headers), tenant)


def test_the_texts_around_the_query_are_guarded(me):
    answer = chart_of(me.analyst, run(me), metrics=[adhoc("(SELECT count(*) FROM pg_catalog.pg_authid)")])
    assert answer.status_code >= 400, answer.text


def test_a_query_of_no_user(app, me, guest_of):
    from superset import db
    from superset.models.sql_lab import Query

    query = run(me)
    with all_metadata(app):
        db.session.get(Query, query).user_id = None
        db.session.commit()
    assert_refused(customers_of(me.analyst, query), me)
    guest = guest_of(me, "visitor")
    body = question(query, columns=["customer"], metrics=[])
    assert_refused(guest.client.post("/api/v1/chart/data", json=body, headers=guest.headers), me)
