"""The allow-list of routes is needed: without it, Superset answers each of these."""

import pytest
from callers import Browser

from world import without_allow_list

#: Who asks for what. {dataset}, {chart}, {dashboard} and {database} are the caller's tenant's, so that nothing else refuses.
REFUSED = [
    ("anonymous", "GET", "/version"),
    ("anonymous", "GET", "/register/"),
    ("anonymous", "GET", "/api/v1/user/1/avatar.png"),
    ("viewer", "GET", "/version"),
    ("viewer", "GET", "/users/userinfo/"),
    ("viewer", "GET", "/api/v1/user/1/avatar.png"),
    ("guest", "GET", "/api/v1/dashboard/"),
    ("guest", "GET", "/api/v1/dashboard/_info"),
    ("guest", "GET", "/api/v1/dashboard/related/owners"),
    ("guest", "GET", "/api/v1/dashboard/favorite_status/?q=!({dashboard})"),
    ("guest", "GET", "/api/v1/dashboard/{dashboard}/embedded"),
    ("guest", "GET", "/api/v1/chart/"),
    ("guest", "GET", "/api/v1/chart/_info"),
    ("guest", "GET", "/api/v1/chart/related/owners"),
    ("guest", "GET", "/api/v1/me/"),
    ("guest", "GET", "/dashboard/list/"),
    ("guest", "GET", "/chart/list/"),
    ("guest", "GET", "/user_info/"),
    ("analyst", "GET", "/version"),
    ("analyst", "GET", "/api/v1/css_template/_info"),
    ("analyst", "GET", "/api/v1/css_template/related/changed_by"),
    ("analyst", "GET", "/api/v1/theme/_info"),
    ("analyst", "GET", "/api/v1/theme/related/changed_by"),
    ("analyst", "GET", "/api/v1/database/available/"),
    ("analyst", "GET", "/api/v1/database/related/changed_by"),
    # Names of all databases of the server: where each tenant has one, they are ids of tenants.
    ("analyst", "GET", "/api/v1/database/{database}/catalogs/"),
    ("analyst", "GET", "/api/v1/database/{database}/related_objects/"),
    ("analyst", "GET", "/api/v1/database/{database}/select_star/orders/analytics/"),
    ("analyst", "GET", "/api/v1/database/{database}/table/orders/analytics/"),
    ("analyst", "GET", "/api/v1/database/{database}/table_extra/orders/analytics/"),
    ("analyst", "GET", "/datasource/get/table/{dataset}/"),
    ("analyst", "GET", "/datasource/external_metadata/table/{dataset}/"),
    ("analyst", "GET", "/databaseview/list/"),
    ("analyst", "GET", "/csstemplatemodelview/list/"),
    ("analyst", "GET", "/theme/list/"),
    ("analyst", "GET", "/superset/explore/"),
    ("analyst", "POST", "/superset/explore/"),
    ("analyst", "POST", "/superset/explore/table/{dataset}/"),
    ("analyst", "GET", "/superset/slice/{chart}/"),
    ("analyst", "GET", "/superset/sqllab/history/"),
]


@pytest.fixture(scope="module")
def browsers(app, world):
    return {
        "anonymous": Browser(app.test_client()),
        "viewer": Browser(app.test_client(), "viewer-tk4q9w"),
        "analyst": Browser(app.test_client(), "analyst-tk4q9w"),
    }


@pytest.mark.parametrize("kind, method, path", REFUSED, ids=[f"{kind}-{method}-{path}" for kind, method, path in REFUSED])
def test_refused_with_it_and_answered_without_it(app, world, browsers, guest_of, kind, method, path):
    tenant = world["tk4q9w"]
    if kind == "guest":
        guest = guest_of(tenant, "visitor")
        browser = Browser(guest.client, headers=guest.headers)
    else:
        browser = browsers[kind]
    numbers = {"dataset": tenant.datasets["orders"], "chart": tenant.chart, "dashboard": tenant.dashboard}
    path = path.format(**numbers, database=tenant.database)
    assert browser.ask(method, path).status_code in (403, 404)
    with without_allow_list(app):
        assert browser.ask(method, path).status_code < 400
