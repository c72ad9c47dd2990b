"""Requests that Superset answers and that reach too far: their routes are not served, and the user interface's own are."""

import io
import json
import zipfile

import pytest
from callers import Browser

from world import adhoc


@pytest.fixture
def analyst(app, me):
    return Browser(app.test_client(), f"analyst-{me.id}")


@pytest.fixture
def viewer(app, me):
    return Browser(app.test_client(), f"viewer-{me.id}")


def legacy_chart(tenant) -> dict:
    return {
        "datasource": f"{tenant.datasets['orders']}__table",
        "viz_type": "partition",
        "groupby": ["customer"],
        "metrics": [adhoc("COUNT(*)")],
        "slice_id": tenant.chart,
        "row_limit": 1000,
    }


def test_a_link_to_legacy_chart_data_that_the_other_has_opened_answers_nothing(app, me, other, analyst):
    """Superset keeps the answer of GET under the URL alone, and looks there before it asks for permission."""
    link = {"csv": "true", "form_data": json.dumps(legacy_chart(other))}
    owner = Browser(app.test_client(), f"analyst-{other.id}")
    for browser in (owner, analyst):
        answer = browser.get("/superset/explore_json/", query_string=link)
        assert answer.status_code == 404 and other.canary not in answer.text


def test_legacy_charts_get_their_data_by_post(me, analyst, viewer):
    for browser in (analyst, viewer):
        body = {"form_data": json.dumps(legacy_chart(me) | {"dashboardId": me.dashboard})}
        answer = browser.ask("POST", "/superset/explore_json/", data=body)
        assert answer.status_code == 200 and me.canary in answer.text, answer.text


@pytest.mark.parametrize("path", ["/superset/explore/table/{dataset}/", "/superset/explore/?slice_id={chart}"])
def test_legacy_explore_tells_nothing_of_the_others_dataset(other, analyst, path):
    path = path.format(dataset=other.datasets["orders"], chart=other.chart)
    body = {"form_data": json.dumps({"datasource": f"{other.datasets['orders']}__table"})}
    answer = analyst.ask("POST", path, data=body)
    assert answer.status_code == 404 and f"analyst-{other.id}" not in answer.text


def test_explore_opens_a_chart_of_ones_own(me, analyst):
    assert analyst.get(f"/explore/?slice_id={me.chart}").status_code == 200
    answer = analyst.get(f"/api/v1/explore/?slice_id={me.chart}")
    assert answer.status_code == 200 and f"Number of orders of {me.id}" in answer.text


@pytest.mark.parametrize("kind", ["chart", "dashboard", "dataset", "saved_query", "database", "assets", "theme"])
def test_nothing_is_imported(analyst, kind):
    """An import makes its caller the owner of what it overwrites."""
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as file:
        file.writestr("b/metadata.yaml", "version: 1.0.0\ntype: SqlaTable\n")
    bundle.seek(0)
    answer = analyst.ask("POST", f"/api/v1/{kind}/import/", data={"formData": (bundle, "b.zip"), "overwrite": "true"})
    assert answer.status_code == 404, answer.text


def test_no_link_changes_the_session_but_sign_out(viewer, me):
    for path in ("/login/logout/", f"/dashboard/{me.dashboard}/embedded", "/lang/de"):
        assert viewer.get(path).status_code == 404, path
    assert viewer.get("/api/v1/me/").status_code == 200
