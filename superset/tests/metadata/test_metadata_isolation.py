"""Superset's metadata are kept apart by PostgreSQL: also from who has more permissions than meant, and on any route."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from world import PASSWORD, Person, all_metadata, open_metadata, without_allow_list

#: What may be asked for of a tenant, by its things. {title} is in what the owner of the things is answered.
ASKED = {
    "dashboard": "/api/v1/dashboard/{dashboard}",
    "dashboard by slug": "/api/v1/dashboard/{slug}",
    "charts of a dashboard": "/api/v1/dashboard/{dashboard}/charts",
    "datasets of a dashboard": "/api/v1/dashboard/{dashboard}/datasets",
    "list of dashboards": "/api/v1/dashboard/",
    "export of a dashboard": "/api/v1/dashboard/export/?q=!({dashboard})",
    "chart": "/api/v1/chart/{chart}",
    "list of charts": "/api/v1/chart/",
    "export of a chart": "/api/v1/chart/export/?q=!({chart})",
    "explore a chart": "/api/v1/explore/?slice_id={chart}&datasource_type=table&datasource_id={dataset}",
    "dataset": "/api/v1/dataset/{dataset}",
    "list of datasets": "/api/v1/dataset/",
    "what hangs on a dataset": "/api/v1/dataset/{dataset}/related_objects",
    "export of a dataset": "/api/v1/dataset/export/?q=!({dataset})",
    "database": "/api/v1/database/{database}",
    "list of databases": "/api/v1/database/",
    "what hangs on a database": "/api/v1/database/{database}/related_objects/",
    "databases to choose from": "/api/v1/dataset/related/database",
    "owners of dashboards by number": "/api/v1/dashboard/related/owners?q=(include_ids:!({user}),page_size:100)",
    "owners of charts by number": "/api/v1/chart/related/owners?q=(include_ids:!({user}),page_size:100)",
    "owners of datasets by number": "/api/v1/dataset/related/owners?q=(include_ids:!({user}),page_size:100)",
    "makers of dashboards": "/api/v1/dashboard/related/created_by?q=(page_size:100)",
    "makers of saved queries": "/api/v1/saved_query/related/created_by?q=(page_size:100)",
    "makers of css templates": "/api/v1/css_template/related/created_by?q=(page_size:100)",
    "saved query": "/api/v1/saved_query/{saved_query}",
    "query": "/api/v1/query/{query}",
    "history of queries": "/api/v1/query/?q=(page_size:100)",
    "css template": "/api/v1/css_template/{css}",
    "list of css templates": "/api/v1/css_template/",
    "annotation layer": "/api/v1/annotation_layer/{layer}",
    "list of annotation layers": "/api/v1/annotation_layer/",
    "annotations of a layer": "/api/v1/annotation_layer/{layer}/annotation/",
}

#: What the overlay refuses, or Superset shows only to whoever made it, also where every row is everybody's.
REFUSED_ABOVE = {
    "dashboard",
    "dashboard by slug",
    "charts of a dashboard",
    "datasets of a dashboard",
    "explore a chart",
    "dataset",
    "saved query",
}


def _make(app, tenant) -> dict:
    from superset import security_manager

    name = f"both-{tenant.id}"
    with all_metadata(app):
        roles = [security_manager.find_role(role) for role in ("Admin", f"tenant:{tenant.id}:analyst")]
        security_manager.add_user(name, "B", f"mark-{tenant.id}", f"{name}@mark-{tenant.id}.example", roles, PASSWORD)
    person = Person(app.test_client(), name)
    mark = f"mark-{tenant.id}"
    with all_metadata(app):
        number = security_manager.find_user(name).id
    slug = f"mark-{tenant.id}-slug"
    dashboard = person.create("dashboard", dashboard_title=mark, slug=slug, published=True)
    chart = person.create(
        "chart",
        slice_name=mark,
        viz_type="table",
        datasource_id=tenant.datasets["orders"],
        datasource_type="table",
        params="{}",
        dashboards=[dashboard],
    )
    saved = person.create("saved_query", db_id=tenant.database, label=mark, sql="SELECT 1", schema="analytics")
    css = person.create("css_template", template_name=mark, css="a{}")
    layer = person.create("annotation_layer", name=mark, descr=mark)
    note = {"short_descr": mark, "start_dttm": "2026-01-01T00:00:00", "end_dttm": "2026-01-02T00:00:00"}
    assert person.post(f"/api/v1/annotation_layer/{layer}/annotation/", note).status_code == 201
    query = person.sql(tenant.database, f"SELECT '{mark}' AS said").json["query"]["queryId"]
    return {
        "person": person,
        "mark": mark,
        "user": number,
        "slug": slug,
        "dashboard": dashboard,
        "chart": chart,
        "dataset": tenant.datasets["orders"],
        "database": tenant.database,
        "saved_query": saved,
        "css": css,
        "layer": layer,
        "query": query,
    }


@pytest.fixture(scope="module")
def people(app, world):
    """An analyst of each tenant who has Superset's Admin as well, by mistake, and things with a mark in them."""
    from superset import db, security_manager
    from superset.models.annotations import Annotation, AnnotationLayer
    from superset.models.core import CssTemplate
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice
    from superset.models.sql_lab import Query, SavedQuery

    with without_allow_list(app):
        made = {tenant.id: _make(app, tenant) for tenant in world.values()}
    yield made
    with all_metadata(app):
        for model, name in ((Slice, "chart"), (Dashboard, "dashboard"), (SavedQuery, "saved_query"), (Query, "query")):
            for things in made.values():
                if found := db.session.get(model, things[name]):
                    db.session.delete(found)
        for model in (Annotation, AnnotationLayer, CssTemplate):
            db.session.query(model).delete()
        db.session.commit()
        for tenant in made:
            db.session.delete(security_manager.find_user(f"both-{tenant}"))
        db.session.commit()


def words_of(tenant, things: dict, servers) -> tuple[str, ...]:
    name = next(known.displayName for known in servers.tenants if known.id == tenant.id)
    return things["mark"], name, f"Orders of {tenant.id}", f"({tenant.id})"


def assert_hidden_and_shown_at_home(me, other, people, servers, asked: str) -> None:
    """The other's thing is not told, and the same request tells of one's own."""
    for whose in (people[me.id], people[other.id]):
        path = ASKED[asked].format(**whose)
        answer = people[me.id]["person"].get(path)
        if whose is people[me.id]:
            assert answer.status_code == 200, answer.text
        else:
            assert answer.status_code < 500 or "explore" in path, answer.text
            said = answer.get_data().decode(errors="replace").replace(path, "")
            assert not [word for word in words_of(other, whose, servers) if word in said], said[:500]


@pytest.mark.parametrize("asked", ASKED)
def test_nothing_of_another_tenant_is_told_to_an_admin_by_mistake(me, other, people, servers, asked, every_route):
    assert_hidden_and_shown_at_home(me, other, people, servers, asked)


@pytest.mark.parametrize("asked", [asked for asked in ASKED if asked not in REFUSED_ABOVE])
def test_without_row_security_it_is_told(app, world, people, servers, asked, every_route):
    """So that each case above is one that row security decides."""
    with open_metadata(app), pytest.raises(AssertionError):
        assert_hidden_and_shown_at_home(world["tk4q9w"], world["tz81mm"], people, servers, asked)


class TestWriting:
    def test_a_saved_query_on_a_foreign_database(self, me, other):
        for database, status in ((me.database, 201), (other.database, 422)):
            body = {"db_id": database, "label": "q", "sql": "SELECT 1", "schema": "analytics"}
            answer = me.analyst.post("/api/v1/saved_query/", body)
            assert answer.status_code == status and f"({other.id})" not in answer.text, answer.text

    def test_a_foreign_dashboard_is_not_deleted_by_an_admin_by_mistake(self, me, other, people):
        mine, theirs = people[me.id], people[other.id]
        assert mine["person"].delete(f"/api/v1/dashboard/{theirs['dashboard']}").status_code == 404
        assert theirs["person"].get(f"/api/v1/dashboard/{theirs['dashboard']}").status_code == 200

    def test_two_tenants_use_the_same_slug(self, me, other):
        slug = uuid.uuid4().hex[:12]
        made = {who.id: who.analyst.create("dashboard", dashboard_title="d", slug=slug) for who in (me, other)}
        for who in (me, other):
            assert who.analyst.get(f"/api/v1/dashboard/{slug}").json["result"]["id"] == made[who.id]
        again = me.analyst.post("/api/v1/dashboard/", {"dashboard_title": "d", "slug": slug})
        assert again.status_code == 422, again.text
        for who in (me, other):
            who.analyst.delete(f"/api/v1/dashboard/{made[who.id]}")

    def test_two_tenants_use_the_same_client_id(self, me, other):
        client = uuid.uuid4().hex[:10]
        for who in (me, other):
            answer = who.analyst.sql(who.database, "SELECT 1 AS n", client_id=client)
            assert answer.status_code == 200, answer.text

    def test_a_refused_query_is_not_stored_with_a_foreign_database(self, me, other, app):
        from superset import db
        from superset.models.sql_lab import Query

        mark = f"SELECT '{uuid.uuid4().hex}'"
        assert me.analyst.sql(other.database, mark).status_code != 200
        with all_metadata(app):
            assert db.session.query(Query).filter(Query.sql == mark).count() == 0

    def test_what_a_client_says_it_looked_at_is_not_told_back(self, me, other):
        events = [
            {
                "source": "dashboard",
                "source_id": other.dashboard,
                "event_name": "mount_dashboard",
                "dashboard_id": other.dashboard,
            }
        ]
        me.analyst.client.post("/superset/log/?explode=events", data={"events": json.dumps(events)}, headers=me.analyst.headers)
        assert f"Orders of {other.id}" not in me.analyst.get("/api/v1/log/recent_activity/").text


def test_many_at_once_through_one_pool_see_their_own(app, world):
    """240 requests of two tenants, eight at a time."""

    def ask(number: int) -> bool:
        me, other = (list(world.values()) * 2)[number % 2 :][:2]
        person = me.analyst if number % 3 else me.viewer
        with app.test_client() as client:
            answer = client.get("/api/v1/dashboard/?q=(page_size:100)", headers=person.headers)
        text = answer.text
        return answer.status_code == 200 and f"Orders of {me.id}" in text and f"Orders of {other.id}" not in text

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(240))) == [True] * 240


def test_streaming_csv_to_a_browser_session(app, me):
    """Whose user is known by a cookie, not by a token."""
    client = app.test_client()
    page = client.post("/login/", data={"username": me.analyst.username, "password": PASSWORD})
    assert page.status_code == 302, page.text
    query = me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders").json["query"]["id"]
    answer = client.post("/api/v1/sqllab/export_streaming/", data={"client_id": query})
    assert answer.text.replace("\ufeff", "").split() == ["n", str(me.orders)]


def test_a_link_to_a_tab_of_sql_lab_is_the_tenants(me, other):
    body = {"dbId": other.database, "name": "tab", "schema": "analytics", "sql": f"SELECT '{other.canary}'"}
    link = other.analyst.post("/api/v1/sqllab/permalink", body)
    assert link.status_code == 201, link.text
    key = link.json["key"]
    colleague = other.analyst.get(f"/api/v1/sqllab/permalink/{key}")
    assert colleague.status_code == 200 and other.canary in colleague.text
    for foreign in (key, "kv:1", "kv:x", "1"):
        answer = me.analyst.get(f"/api/v1/sqllab/permalink/{foreign}")
        assert answer.status_code in (403, 404) and other.canary not in answer.text, (foreign, answer.text)
    assert other.viewer.get(f"/api/v1/sqllab/permalink/{key}").status_code == 403
