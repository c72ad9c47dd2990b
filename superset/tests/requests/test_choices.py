"""Lists to choose from, and the log of what was done, know nothing of other tenants."""

import json

import pytest
from browser import Browser

NUMBERS = ",".join(map(str, range(1, 60)))


def related_fields(app) -> list[str]:
    """Each list of each API."""
    return [
        f"/api/v1/{view.resource_name}/related/{column}"
        for view in app.appbuilder.baseviews
        for column in sorted(getattr(view, "allowed_rel_fields", ()))
    ]


@pytest.mark.parametrize("asked", ["", f"?q=(include_ids:!({NUMBERS}))", "?q=(page_size:1000)"])
def test_each_list_of_people_roles_and_databases(app, me, other, guest_of, asked):
    guest = guest_of(me, "visitor")
    paths = related_fields(app)
    assert len(paths) > 20
    said = [
        (path, answer.text)
        for path in paths
        for answer in (
            me.analyst.get(path + asked),
            me.viewer.get(path + asked),
            guest.client.get(path + asked, headers=guest.headers),
        )
        if other.id in answer.text or "platform" in answer.text or answer.status_code >= 500
    ]
    assert said == []
    at_home = me.analyst.get(f"/api/v1/chart/related/owners{asked}")
    assert me.analyst.username in at_home.text or "P" in at_home.text, at_home.text


def report(browser, app, *events: dict):
    body = {"events": json.dumps([{"event_name": "mount_dashboard", **event} for event in events])}
    answer = browser.post("/superset/log/?explode=events", data=body)
    assert answer.status_code == 200, answer.text


def test_what_a_page_reports(app, me, other):
    browser = Browser(app, me.analyst)
    report(browser, app, {"dashboard_id": me.dashboard}, {"dashboard_id": other.dashboard}, {"slice_id": other.chart})
    activity = browser.get("/api/v1/log/recent_activity/?q=(actions:!(mount_dashboard),distinct:!f,page_size:100)")
    assert f"Orders of {me.id}" in activity.text, activity.text
    assert other.id not in activity.text
