"""A refusal that a command met, or a value of a wrong form, is answered as what it is, not as an error of the server."""

import uuid

import pytest


@pytest.mark.parametrize(
    "path",
    [
        "chart/no-such-chart",
        "dashboard/permalink/no-such-key",
        "explore/permalink/no-such-key",
        "explore/?permalink_key=no-such-key",
    ],
)
def test_a_name_that_no_object_has(me, path):
    answer = me.analyst.get(f"/api/v1/{path}")
    assert answer.status_code in (400, 404), answer.text
    assert "Fatal error" not in answer.text


def test_a_link_to_the_others_unsaved_chart(me, other):
    dataset = other.datasets["orders"]
    body = {"formData": {"datasource": f"{dataset}__table", "slice_id": other.chart}}
    key = other.analyst.post("/api/v1/explore/permalink", body).json["key"]
    assert other.analyst.get(f"/api/v1/explore/?permalink_key={key}").status_code == 200
    answer = me.analyst.get(f"/api/v1/explore/?permalink_key={key}")
    assert answer.status_code in (403, 404), answer.text


def test_the_others_database_in_sql_lab(me, other):
    answer = me.analyst.sql(other.database, "SELECT 1", client_id=uuid.uuid4().hex[:10])
    assert answer.status_code == 404 and "does not exist, or is not your account's" in answer.text, answer.text
