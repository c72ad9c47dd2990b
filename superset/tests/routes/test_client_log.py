"""What the user interface reports to Superset's log, and what a caller may write there."""

import json

import pytest
from callers import Browser

from world import all_metadata


@pytest.fixture
def viewer(app, me):
    return Browser(app.test_client(), f"viewer-{me.id}")


def lines_of(app, username: str) -> list:
    from superset import db, security_manager
    from superset.models.core import Log

    with all_metadata(app):
        user = security_manager.find_user(username)
        return [(line.action, line.json) for line in db.session.query(Log).filter_by(user_id=user.id)]


def report(viewer, dashboard: int, *events: dict):
    return viewer.ask("POST", f"/superset/log/?explode=events&dashboard_id={dashboard}", data={"events": json.dumps(events)})


def test_the_home_page_lists_a_dashboard_that_was_opened(me, viewer):
    assert report(viewer, me.dashboard, {"event_name": "mount_dashboard", "source": "dashboard"}).status_code == 200
    recent = viewer.get("/api/v1/log/recent_activity/?q=(page_size:6)").json["result"]
    assert f"Orders of {me.id}" in [line["item_title"] for line in recent]


def test_a_report_that_names_the_others_dashboard_is_not_stored(me, other, viewer):
    assert report(viewer, other.dashboard, {"event_name": "mount_dashboard"}).status_code == 200
    report(viewer, 0, {"event_name": "mount_dashboard", "dashboard_id": other.dashboard})
    report(viewer, 0, {"event_name": "mount_explorer", "slice_id": other.chart})
    recent = viewer.get("/api/v1/log/recent_activity/?q=(page_size:100)").text
    assert f"Orders of {other.id}" not in recent and f"Number of orders of {other.id}" not in recent


def test_a_report_writes_no_more_than_what_was_opened(app, me, viewer):
    before = len(lines_of(app, viewer_name(me)))
    events = [{"event_name": "mount_dashboard", "text": "x" * 1000, "n": n} for n in range(1000)]
    assert report(viewer, me.dashboard, *events, {"event_name": "spam"}, {"no": "name"}).status_code == 200
    written = lines_of(app, viewer_name(me))[before:]
    assert len(written) == 1 and "xxx" not in written[0][1]


def test_no_other_request_chooses_the_lines_of_its_log(app, me, viewer):
    before = len(lines_of(app, viewer_name(me)))
    viewer.get("/api/v1/dashboard/")
    usual = len(lines_of(app, viewer_name(me))) - before
    for events in ([{"n": n} for n in range(1000)], [1, 2], "text", 7):
        answer = viewer.get("/api/v1/dashboard/", query_string={"explode": "events", "events": json.dumps(events)})
        assert answer.status_code == 200, answer.text
    assert len(lines_of(app, viewer_name(me))) == before + 5 * usual


def viewer_name(me) -> str:
    return f"viewer-{me.id}"
