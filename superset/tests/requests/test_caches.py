"""What is kept of an answer is found again by the same tenant only, and by guests only with the same rights."""

import json
import re
from urllib.parse import quote

import pytest
from browser import Browser

from world import Guest, adhoc, all_metadata, rows


class FilteredGuest(Guest):
    """A guest whose token carries row filters."""

    def __init__(self, client, platform, dashboard: str, clause: str) -> None:
        rls = [{"clause": clause}]
        body = {"user": {"username": "x"}, "resources": [{"type": "dashboard", "id": dashboard}], "rls": rls}
        answer = platform.post("/api/v1/security/guest_token/", body)
        assert answer.status_code == 200, answer.text
        self.client = client
        self.headers = {"X-GuestToken": answer.json["token"]}

    def get(self, path: str):
        return self.client.get(path, headers=self.headers)


@pytest.fixture
def filtered_guest(app, platform, me):
    answer = platform.post(f"/api/v1/dashboard/{me.dashboard}/embedded", {"allowed_domains": []})
    return lambda clause: FilteredGuest(app.test_client(), platform, answer.json["result"]["uuid"], clause)


def old_chart(tenant, **more) -> str:
    """A URL of the legacy API, which answers with rows."""
    form_data = {
        "datasource": f"{tenant.datasets['orders']}__table",
        "viz_type": "partition",
        "groupby": ["customer"],
        "metrics": [adhoc("COUNT(*)")],
        "row_limit": 1000,
        **more,
    }
    return f"/superset/explore_json/?csv=true&form_data={quote(json.dumps(form_data))}"


def test_a_url_that_the_other_has_opened(app, me, other, platform, guest_of):
    url = old_chart(other)
    at_home = Browser(app, other.analyst).get(url)
    assert at_home.status_code == 200 and other.canary in at_home.text, at_home.text
    for stranger in (me.analyst, me.viewer, platform):
        answer = Browser(app, stranger).get(url)
        assert answer.status_code != 200 and other.canary not in answer.text, answer.text
    guest = guest_of(me, "visitor")
    answer = guest.client.get(url, headers=guest.headers)
    assert answer.status_code != 200 and other.canary not in answer.text, answer.text


def test_a_url_that_an_analyst_has_opened_is_not_for_viewers(app, me):
    """Of the same tenant: a viewer has dashboards, not datasets."""
    url = old_chart(me)
    assert me.canary in Browser(app, me.analyst).get(url).text
    answer = Browser(app, me.viewer).get(url)
    assert answer.status_code != 200 and me.canary not in answer.text


def test_guests_with_other_row_filters(me, filtered_guest):
    all_rows, no_rows = filtered_guest("1 = 1"), filtered_guest("1 = 0")
    assert rows(all_rows.chart_data(me, me.dashboard, force=False)) == [{"n": me.orders}]
    assert rows(no_rows.chart_data(me, me.dashboard, force=False)) == [{"n": 0}]
    url = old_chart(me, dashboardId=me.dashboard, slice_id=me.chart)
    first, second = all_rows.get(url), no_rows.get(url)
    assert me.canary not in second.text, (first.text, second.text)


def test_browsers_and_proxies_keep_nothing_but_static_files(me, app):
    paths = ["/api/v1/dashboard/", f"/superset/dashboard/{me.dashboard}/", old_chart(me), "/api/v1/me/"]
    analyst = Browser(app, me.analyst)
    for answer in (analyst.get(path) for path in paths):
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "private, no-store" and "Expires" not in answer.headers
    with all_metadata(app):
        static = app.test_client().get("/static/appbuilder/css/ab.css")
    assert static.status_code == 200 and "no-store" not in static.headers.get("Cache-Control", "")


def use_all_caches(tenant, app) -> None:
    """A chart, Explore's state, a filter's state, SQL Lab and the page itself."""
    tenant.analyst.chart_data(tenant.datasets["orders"], force=False)
    browser = Browser(app, tenant.analyst)
    for path in (old_chart(tenant), "/superset/welcome/"):
        assert browser.get(path).status_code == 200
    body = {"datasource_id": tenant.datasets["orders"], "datasource_type": "table", "form_data": json.dumps({"a": tenant.id})}
    assert tenant.analyst.post("/api/v1/explore/form_data", body).status_code == 201
    path = f"/api/v1/dashboard/{tenant.dashboard}/filter_state"
    answer = browser.post(path, json={"value": json.dumps({"b": tenant.id})})
    assert answer.status_code == 201, answer.text
    for path in ("schemas/", "tables/?q=(schema_name:analytics)"):
        assert tenant.analyst.get(f"/api/v1/database/{tenant.database}/{path}").status_code == 200


def test_each_key_has_its_tenant(me, other, app, guest_of):
    """All of Superset's caches, after both have used them."""
    for tenant in (me, other):
        use_all_caches(tenant, app)
        rows(guest_of(tenant, "visitor").chart_data(tenant, tenant.dashboard, force=False))
    client = cache_server(app)
    keys = [key.decode() for key in client.keys("superset_*")]
    for tenant in (me, other):
        for prefix in ("superset_", "superset_data_", "superset_filter_", "superset_explore_"):
            assert [key for key in keys if key.startswith(f"{prefix}tenant:{tenant.id}:")], (prefix, keys)
        assert [key for key in keys if f"tenant:{tenant.id}:guest:" in key]
    assert [key for key in keys if not re.match(r"superset_(data_|filter_|explore_|results_)?(tenant|platform):", key)] == []
    for key in keys:
        value = client.get(key) or b""
        foreign = [tenant for tenant in (me, other) if f"tenant:{tenant.id}:" not in key]
        assert not [tenant.id for tenant in foreign if tenant.canary.encode() in value], key


def test_every_cache_of_superset_is_kept_per_tenant(app):
    """Also one that a later Superset brings: what is not ours keeps nothing."""
    from flask_caching.backends import NullCache

    from superset_tenancy.requests.caches import TenantCache, TenantResults

    backends = list(app.extensions["cache"].values())
    assert len(backends) >= 5
    assert {type(backend) for backend in backends} == {TenantCache, NullCache}
    assert isinstance(app.config["RESULTS_BACKEND"], TenantResults)
    assert not app.config.get("DISTRIBUTED_COORDINATION_CONFIG")


def cache_server(app):
    from superset.extensions import cache_manager

    with app.app_context():
        return cache_manager.data_cache.cache._read_client
