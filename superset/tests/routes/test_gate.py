"""What each kind of caller is answered on a route that is for others, and on one that is for nobody."""

from unittest.mock import patch

import pytest
from callers import Browser, make_user

from superset_tenancy import names
from superset_tenancy.routes.groups import Route
from superset_tenancy.routes.table import GROUP_OF

#: One page and one API of each kind, and who is served.
PAGES = {
    "/dashboard/list/": {"viewer", "analyst", "platform"},
    "/sqllab/": {"analyst", "platform"},
    "/users/list/": {"platform"},
    "/user_info/": {"viewer", "analyst", "platform", "unassigned"},
}
APIS = {
    "/api/v1/dashboard/": {"viewer", "analyst", "platform"},
    "/api/v1/dataset/": {"analyst", "platform"},
    "/api/v1/rowlevelsecurity/": {"platform"},
    "/api/v1/log/": {"platform"},
    "/api/v1/me/": {"viewer", "analyst", "platform", "unassigned"},
}
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def callers(app, world):
    """Each kind of caller with a session, and nobody."""
    both = [names.role_name(tenant, "analyst") for tenant in ("tk4q9w", "tz81mm")]
    return {
        "anonymous": Browser(app.test_client()),
        "viewer": Browser(app.test_client(), "viewer-tk4q9w"),
        "analyst": Browser(app.test_client(), "analyst-tk4q9w"),
        "unassigned": make_user(app, "without-tenant", "tenancy:guest"),
        "of two tenants": make_user(app, "of-two-tenants", *both),
        "platform": Browser(app.test_client(), make_user(app, "another-operator", "Admin") and "another-operator"),
    }


@pytest.mark.parametrize("path, served", [*PAGES.items(), *APIS.items()], ids=[*PAGES, *APIS])
def test_a_route_serves_its_callers_and_refuses_others_with_a_reason(callers, path, served):
    for kind, browser in callers.items():
        answer = browser.get(path, headers={} if path in APIS else HTML)
        if kind in served or (kind == "of two tenants" and "unassigned" in served):
            assert answer.status_code == 200, (kind, answer.text)
        elif kind == "anonymous":
            assert answer.status_code == (401 if path in APIS else 302), answer.text
        else:
            assert answer.status_code == 403, (kind, answer.text)
            assert ("exactly one tenant" if kind not in ("viewer", "analyst") else "available to: ") in answer.text


@pytest.mark.parametrize("headers", [{}, HTML], ids=["json", "html"])
@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/superset/explore_json/?form_data={}"),
        ("POST", "/superset/explore/table/1/"),
        ("GET", "/api/v1/tag/"),
        ("POST", "/api/v1/database/"),
        ("GET", "/version"),
        ("OPTIONS", "/api/v1/dashboard/"),
    ],
)
def test_a_withheld_route_answers_everybody_as_a_path_that_does_not_exist(callers, method, path, headers):
    for browser in callers.values():
        unknown = browser.ask(method, "/there/is/no/such/path", headers=headers)
        answer = browser.ask(method, path, headers=headers)
        assert (answer.status_code, answer.data) == (404, unknown.data)


def test_a_route_that_is_not_in_the_table_answers_404(callers):
    path = "/api/v1/me/"
    assert callers["analyst"].get(path).status_code == 200
    without = {route: group for route, group in GROUP_OF.items() if route.rule != path}
    with patch.dict(GROUP_OF, without, clear=True):
        assert callers["analyst"].get(path).status_code == 404
        assert callers["platform"].get(path).status_code == 404


def test_head_is_what_get_is(callers):
    assert callers["anonymous"].ask("HEAD", "/health").status_code == 200
    assert callers["viewer"].ask("HEAD", "/api/v1/dataset/").status_code == 403
    assert callers["analyst"].ask("HEAD", "/api/v1/tag/").status_code == 404


def test_an_operator_with_a_tenants_role_uses_the_routes_of_both(app, world):
    """As docs/shared-content.md advises, to design content; with roles of two tenants there are the operator's routes only."""
    one = make_user(app, "operator-and-analyst", "Admin", names.role_name("tk4q9w", "analyst"))
    assert one.get("/api/v1/dataset/").status_code == 200
    assert one.get("/api/v1/rowlevelsecurity/").status_code == 200


@pytest.mark.parametrize("number", ["abc", "-1", "1;2", "99999999999999999999", "\u0664"])
def test_a_number_that_no_object_can_have_is_not_found(callers, number):
    """Superset answers 500 to some of these."""
    for method, path in (("DELETE", "/api/v1/dashboard/"), ("PUT", "/api/v1/chart/"), ("GET", "/api/v1/database/")):
        assert callers["analyst"].ask(method, path + number, json={}).status_code in (404, 405), (path, number)


def test_an_operator_without_a_tenants_role_runs_no_query(callers):
    """With the reason, where Superset would have an error of its own."""
    answer = callers["platform"].ask("POST", "/api/v1/sqllab/execute/", json={"database_id": 1, "sql": "SELECT 1"})
    assert answer.status_code == 403 and "Queries of SQL Lab" in answer.text


def test_a_token_opens_nothing_that_the_session_beside_it_may_not(app, world, callers):
    """Superset lets one or the other decide, depending on the route."""
    token_of = world["tk4q9w"]
    viewer = Browser(app.test_client(), "viewer-tk4q9w", headers=token_of.analyst.headers)
    assert viewer.get("/api/v1/dataset/").status_code == 403
    analyst = Browser(app.test_client(), "analyst-tk4q9w", headers=token_of.viewer.headers)
    assert analyst.get("/api/v1/dataset/").status_code == 403
    assert analyst.get("/api/v1/dashboard/").status_code == 200


def test_a_token_signs_nobody_in_to_a_page(world, app):
    """Pages are for sessions, before and after the routes are looked at."""
    answer = app.test_client().get("/sqllab/", headers=world["tk4q9w"].analyst.headers | HTML)
    assert answer.status_code == 302 and "/login/" in answer.headers["Location"]


def test_a_token_that_is_not_valid_is_refused(app, world):
    answer = app.test_client().get("/api/v1/dashboard/", headers={"Authorization": "Bearer x.y.z"})
    assert answer.status_code in (401, 422), answer.text


def test_a_guest_gets_the_dashboard_and_no_list(me, guest_of):
    guest = guest_of(me, "visitor")
    browser = Browser(guest.client, headers=guest.headers)
    assert browser.get("/api/v1/me/roles/").status_code == 200
    assert guest.chart_data(me, me.dashboard).status_code == 200
    for path in ("/api/v1/dashboard/", "/api/v1/chart/", "/api/v1/dataset/", "/api/v1/me/", "/dashboard/list/"):
        assert browser.get(path).status_code == 403, path


def test_the_check_comes_before_all_other_hooks(app):
    assert app.before_request_funcs[None][0].__name__ == "check_route"
    assert None not in app.url_value_preprocessors


def test_the_roles_of_routes_are_those_of_permissions():
    """A route for one capability is there for those that include it."""
    for route, group in GROUP_OF.items():
        if "viewer" in group.callers:
            assert {"analyst", "admin"} <= group.callers, route
        if "analyst" in group.callers:
            assert "admin" in group.callers, route
    assert GROUP_OF[Route("GET", "/health")].callers
