"""Guests of embedded dashboards see the data of the dashboard's tenant, and of no other."""

from world import adhoc, rows


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
