"""A request that names another tenant's things is answered as if they did not exist; at home it works.

The row security of the metadata hides them, and without it they are refused by name: `is_seen` says which of the two is tried.
"""

import json
import uuid
from contextlib import nullcontext
from dataclasses import replace
from urllib.parse import quote

import pytest
from browser import Browser

from world import open_metadata, query_context


def form_data(tenant, **more) -> dict:
    return {"datasource": f"{tenant.datasets['orders']}__table", "viz_type": "big_number_total", **more}


def titles(tenant) -> list[str]:
    """Words that only this tenant has."""
    return [tenant.id, tenant.canary]


def assert_refused(answer, other) -> None:
    assert answer.status_code in (400, 403, 404), (answer.status_code, answer.text)
    assert_told_nothing(answer, other)


def assert_told_nothing(answer, other) -> None:
    assert answer.status_code < 500, answer.text
    assert not [word for word in titles(other) if word in answer.text], answer.text


def absent(tenant):
    """A tenant whose things nobody has."""
    datasets = {name: 987_650 + number for number, name in enumerate(tenant.datasets)}
    return replace(tenant, id="tnobody", database=987_654, chart=987_655, dashboard=987_656, datasets=datasets)


@pytest.fixture(scope="module", params=[False, True], ids=["hidden", "refused"])
def is_seen(app, request):
    with open_metadata(app) if request.param else nullcontext():
        yield request.param


#: Requests of an analyst, of their own data but for the one thing that they name: {of} is that thing's tenant.
ASKED = {
    "a chart beside an own dataset in Explore": lambda me, of: (
        "GET",
        f"/api/v1/explore/?slice_id={of.chart}&form_data={quote(json.dumps(form_data(me)))}",
        None,
        200,
    ),
    "a chart within the state of Explore": lambda me, of: (
        "POST",
        "/api/v1/explore/form_data",
        {
            "datasource_id": me.datasets["orders"],
            "datasource_type": "table",
            "form_data": json.dumps(form_data(me, slice_id=of.chart)),
        },
        201,
    ),
    "a chart within a permalink of Explore": lambda me, of: (
        "POST",
        "/api/v1/explore/permalink",
        {"formData": form_data(me, slice_id=of.chart)},
        201,
    ),
    "a saved query's database": lambda me, of: (
        "POST",
        "/api/v1/saved_query/",
        {"db_id": of.database, "label": "x", "sql": "SELECT 1", "schema": "analytics"},
        201,
    ),
    "a database to find or make a dataset in": lambda me, of: (
        "POST",
        "/api/v1/dataset/get_or_create/",
        {"database_id": of.database, "table_name": "orders", "schema": "analytics"},
        200,
    ),
    "tables of a schema": lambda me, of: (
        "GET",
        f"/api/v1/database/{me.database}/tables/?q=(schema_name:tenant_{of.id})",
        None,
        200,
    ),
    "a table of a schema": lambda me, of: (
        "GET",
        f"/api/v1/database/{me.database}/select_star/notes/tenant_{of.id}/",
        None,
        200,
    ),
    "columns of a table": lambda me, of: (
        "GET",
        f"/api/v1/database/{me.database}/table_metadata/?name=notes&schema=tenant_{of.id}",
        None,
        200,
    ),
    "a chart as the source of an annotation": lambda me, of: (
        "POST",
        "/api/v1/chart/data",
        query_context(
            me.datasets["orders"],
            annotation_layers=[
                {"name": "x", "annotationType": "EVENT", "sourceType": "table", "value": of.chart, "show": True, "style": "solid"}
            ],
        ),
        None,
    ),
    "a database by filter of a list": lambda me, of: (
        "GET",
        f"/api/v1/dataset/?q=(filters:!((col:database,opr:rel_o_m,value:{of.database})))",
        None,
        200,
    ),
}


def ask(person, method: str, path: str, body):
    return person.get(path) if method == "GET" else person.post(path, body)


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_an_analyst_names(me, other, asked, every_route, is_seen):
    *request, expected = asked(me, me)
    at_home = ask(me.analyst, *request)
    assert expected is None or at_home.status_code == expected, at_home.text
    *request, _ = asked(me, other)
    answer = ask(me.analyst, *request)
    if is_seen:
        assert_refused(answer, other)
    else:
        *request, _ = asked(me, absent(other))
        assert answer.status_code == ask(me.analyst, *request).status_code
        assert_told_nothing(answer, other)


def test_layers_of_a_map(app, me, other, guest_of, is_seen):
    """The charts of a legacy chart of many layers."""
    data = {"datasource": f"{me.datasets['orders']}__table", "viz_type": "deck_multi", "slice_id": me.chart}

    def ask_for(client, chart, headers=None):
        body = {"form_data": json.dumps({**data, "deck_slices": [chart], "dashboardId": me.dashboard})}
        return client.post("/superset/explore_json/", data=body, headers=headers)

    assert f"Number of orders of {me.id}" in ask_for(Browser(app, me.analyst).client, me.chart).text
    guest = guest_of(me, "visitor")
    for client, headers in (
        (Browser(app, me.analyst).client, None),
        (Browser(app, me.viewer).client, None),
        (guest.client, guest.headers),
    ):
        (assert_refused if is_seen else assert_told_nothing)(ask_for(client, other.chart, headers), other)


def test_a_draft_of_the_own_tenant_is_not_for_viewers(app, me):
    title = f"a draft {uuid.uuid4().hex}"
    draft = me.analyst.create(
        "chart",
        slice_name=title,
        viz_type="big_number_total",
        datasource_id=me.datasets["orders"],
        datasource_type="table",
        params=json.dumps(form_data(me)),
    )
    data = {**form_data(me), "viz_type": "deck_multi", "slice_id": me.chart, "dashboardId": me.dashboard}
    body = {"form_data": json.dumps({**data, "deck_slices": [draft]})}
    assert title in Browser(app, me.analyst).post("/superset/explore_json/", data=body).text
    answer = Browser(app, me.viewer).post("/superset/explore_json/", data=body)
    assert answer.status_code == 404 and title not in answer.text


def test_the_old_explore_page(app, me, other, every_route, is_seen):
    for path in (
        "/superset/explore/table/{dataset}/",
        "/superset/explore/?slice_id={chart}",
        "/superset/fetch_datasource_metadata?datasourceKey={dataset}__table",
    ):
        of = [path.format(dataset=tenant.datasets["orders"], chart=tenant.chart) for tenant in (me, other)]
        browser = Browser(app, me.analyst)
        method = browser.get if "fetch" in path else browser.post
        assert method(of[0]).status_code in (200, 302)
        (assert_refused if is_seen else assert_told_nothing)(method(of[1]), other)


def test_owners_are_people_of_the_tenant(app, me, other, platform, is_seen):
    from superset import security_manager

    from world import all_metadata

    with all_metadata(app):
        mine, foreign, operator = (
            security_manager.find_user(name).id for name in (me.analyst.username, other.analyst.username, "platform")
        )
    path = f"/api/v1/dataset/{me.datasets['orders']}"
    assert me.analyst.put(path, {"owners": [mine]}).status_code == 200
    for stranger in (foreign, operator):
        answer = me.analyst.put(path, {"owners": [mine, stranger]})
        assert answer.status_code in (404, 422), answer.text
        assert_told_nothing(answer, other)


def test_a_layer_of_annotations_that_all_share(me):
    layer = {"name": "x", "annotationType": "EVENT", "sourceType": "NATIVE", "value": 1, "show": True, "style": "solid"}
    answer = me.analyst.post("/api/v1/chart/data", query_context(me.datasets["orders"], annotation_layers=[layer]))
    assert answer.status_code == 400 and "Annotation layers are shared" in answer.text


def test_the_provisioners_schema(me):
    for schema in ("tenancy_partitions", "tenancy"):
        answer = me.analyst.get(f"/api/v1/database/{me.database}/tables/?q=(schema_name:{schema})")
        assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("number", ["{}", " {}", "0{}", "+{}", '"{}"'])
def test_an_identifier_in_another_notation(me, other, number, is_seen):
    text = number.format(other.chart)
    answer = me.analyst.get(f"/api/v1/explore/?slice_id={quote(text)}&form_data={quote(json.dumps(form_data(me)))}")
    assert f"Number of orders of {other.id}" not in answer.text
    body = {"datasource_id": me.datasets["orders"], "datasource_type": "table"}
    form = (
        json.dumps(form_data(me)).removesuffix("}")
        + f', "slice_id": {text if number.startswith(chr(34)) else json.dumps(text)}}}'
    )
    answer = me.analyst.post("/api/v1/explore/form_data", {**body, "form_data": form})
    assert answer.status_code == 404 if is_seen else answer.status_code < 500, answer.text


def test_nesting_is_bounded(me):
    deep = json.loads("[" * 500 + "]" * 500)
    answer = me.analyst.post("/api/v1/chart/data", {**query_context(me.datasets["orders"]), "deep": deep})
    assert answer.status_code == 400 and "nested" in answer.text
