"""Guests of embedded dashboards see the data of the dashboard's tenant, and of no other."""

import json

from world import adhoc, query_context, rows


def test_the_dashboards_chart(me, guest_of):
    assert rows(guest_of(me, "visitor").chart_data(me, me.dashboard)) == [{"n": me.orders}]


def test_the_name_in_the_token_gives_nothing(me, other, guest_of):
    """A guest may carry any name: an analyst's of the other, an administrator's, a tenant's id."""
    for name in (f"analyst-{other.id}", "platform", other.id):
        guest = guest_of(me, name)
        assert rows(guest.chart_data(me, me.dashboard)) == [{"n": me.orders}]
        assert guest.chart_data(other, other.dashboard).status_code != 200


def test_another_question_than_the_charts(me, guest_of):
    """Of the same dataset, under the name of a chart of the dashboard."""
    guest = guest_of(me, "visitor")
    for query in ({"metrics": [adhoc("max(customer)")]}, {"columns": ["customer"], "metrics": []}):
        answer = guest.chart_data(me, me.dashboard, **query)
        assert answer.status_code == 403 and me.canary not in answer.text, answer.text


def test_a_chart_of_the_other(me, other, guest_of):
    guest = guest_of(me, "visitor")
    for dashboard in (me.dashboard, other.dashboard):
        answer = guest.chart_data(other, dashboard)
        assert answer.status_code != 200 and other.canary not in answer.text


def test_a_tenants_people_make_no_tokens(me, other):
    body = {"user": {"username": "x"}, "resources": [{"type": "dashboard", "id": str(other.dashboard)}], "rls": []}
    for person in (me.analyst, me.viewer):
        assert person.post("/api/v1/security/guest_token/", body).status_code == 403


def asks(guest, me, **body):
    """A question of the dashboard's dataset that names what the body says."""
    asked = {**query_context(me.datasets["orders"]), "form_data": {"dashboardId": me.dashboard, "slice_id": me.chart}}
    return guest.client.post("/api/v1/chart/data", json={**asked, **body}, headers=guest.headers)


def test_a_question_that_names_no_chart(me, guest_of):
    guest = guest_of(me, "visitor")
    assert asks(guest, me).status_code == 200
    forms = ({}, {"chart_id": me.chart}, {"slice_id": 0}, {"type": "NATIVE_FILTER", "native_filter_id": "x"})
    queries = [{"columns": ["customer"], "metrics": [], "row_limit": 1000}]
    for form_data in forms:
        answer = asks(guest, me, form_data={"dashboardId": me.dashboard, **form_data}, queries=queries)
        assert answer.status_code == 403 and me.canary not in answer.text, (form_data, answer.text)


def test_more_than_the_chart_asks(me, guest_of):
    guest = guest_of(me, "visitor")
    questions = (
        {"extras": {"where": f"customer = '{me.canary}'"}},
        {"extras": {"having": "count(*) > 1"}},
        {"filters": [{"col": "customer", "op": "==", "val": me.canary}]},
        {"filters": [{"col": adhoc("length(customer)"), "op": ">", "val": 3}]},
        {"row_limit": 5000},
        {"row_offset": 1},
        {"is_rowcount": True},
    )
    for query in questions:
        answer = guest.chart_data(me, me.dashboard, **query)
        assert answer.status_code == 403, (query, answer.text)
    for result_type in ("samples", "drill_detail", "query", "columns"):
        answer = asks(guest, me, result_type=result_type)
        assert answer.status_code == 403 and me.canary not in answer.text, (result_type, answer.text)
    answer = guest.chart_data(me, me.dashboard, filters=[{"col": "ordered_at", "op": "TEMPORAL_RANGE", "val": "No filter"}])
    assert rows(answer) == [{"n": me.orders}]


def test_the_old_way_to_ask(me, guest_of):
    guest = guest_of(me, "visitor")
    data = {
        "datasource": f"{me.datasets['orders']}__table",
        "viz_type": "partition",
        "groupby": ["customer"],
        "metrics": [adhoc("COUNT(*)")],
        "dashboardId": me.dashboard,
        "slice_id": me.chart,
    }
    for path in ("/superset/explore_json/", "/superset/explore_json/?csv=true"):
        answer = guest.client.post(path, data={"form_data": json.dumps(data)}, headers=guest.headers)
        assert answer.status_code != 200 and me.canary not in answer.text, answer.text


def test_the_dashboards_native_filter(me, guest_of):
    """Its values, and the chart filtered by it."""
    number = {"datasetId": me.datasets["orders"], "column": {"name": "product"}}
    native = {"id": "NATIVE_FILTER-p", "name": "p", "filterType": "filter_select", "targets": [number], "scope": {}}
    metadata = json.dumps({"native_filter_configuration": [native]})
    path = f"/api/v1/dashboard/{me.dashboard}"
    assert me.analyst.put(path, {"json_metadata": metadata}).status_code == 200
    guest = guest_of(me, "visitor")
    form_data = {"dashboardId": me.dashboard, "type": "NATIVE_FILTER", "native_filter_id": native["id"]}
    try:
        values = asks(guest, me, form_data=form_data, queries=[{"columns": ["product"], "metrics": [], "row_limit": 100}])
        assert {"product": "lamp"} in rows(values)
        others = asks(guest, me, form_data=form_data, queries=[{"columns": ["customer"], "metrics": [], "row_limit": 100}])
        assert others.status_code == 403 and me.canary not in others.text
        filtered = guest.chart_data(me, me.dashboard, filters=[{"col": "product", "op": "IN", "val": ["lamp"]}])
        assert filtered.status_code == 200, filtered.text
    finally:
        assert me.analyst.put(path, {"json_metadata": "{}"}).status_code == 200
