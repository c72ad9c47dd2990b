"""Virtual datasets are made and copied, and refused with the reason."""

import uuid

import pytest

from superset_tenancy import names
from world import all_metadata, query_context, rows


@pytest.fixture
def virtual(me):
    """Makes a virtual dataset of the caller's."""

    def make(**more):
        body = {"database": me.database, "schema": "analytics", "sql": "SELECT customer FROM analytics.orders"}
        return me.analyst.post("/api/v1/dataset/", {**body, "table_name": f"virtual {uuid.uuid4().hex}", **more})

    return make


def test_a_virtual_dataset_is_copied(me, virtual):
    """Superset 6.1.0 fails for every user without Admin."""
    number = virtual().json["id"]
    answer = me.analyst.post("/api/v1/dataset/duplicate", {"base_model_id": number, "table_name": f"copy {uuid.uuid4().hex}"})
    assert answer.status_code == 201, answer.text
    copy = answer.json["id"]
    assert rows(me.analyst.chart_data(copy)) == [{"n": me.orders}]
    assert [owner["id"] for owner in me.analyst.get(f"/api/v1/dataset/{copy}").json["result"]["owners"]]


def test_a_physical_dataset_is_not_copied(me):
    body = {"base_model_id": me.datasets["orders"], "table_name": f"copy {uuid.uuid4().hex}"}
    answer = me.analyst.post("/api/v1/dataset/duplicate", body)
    assert answer.status_code == 422, answer.text


def test_the_others_virtual_dataset_is_not_copied(me, other):
    body = {"database": other.database, "schema": "analytics", "sql": "SELECT 1 AS n"}
    theirs = other.analyst.create("dataset", table_name=f"virtual {uuid.uuid4().hex}", **body)
    answer = me.analyst.post("/api/v1/dataset/duplicate", {"base_model_id": theirs, "table_name": "copy"})
    assert answer.status_code in (404, 422), answer.text
    assert other.id not in answer.text


def test_a_dataset_is_asked_for_by_a_uuid_that_no_dataset_has(me):
    for nobodys in (uuid.uuid4(), names.content_uuid("tz81mm", "x"), names.database_uuid("tz81mm")):
        for path in (f"{nobodys}", f"{nobodys}/related_objects"):
            answer = me.analyst.get(f"/api/v1/dataset/{path}")
            assert answer.status_code == 404, answer.text


@pytest.mark.parametrize("version", [4, 5])
def test_a_virtual_dataset_is_asked_for_by_its_uuid(app, me, virtual, version):
    """Those of shared content have UUIDs of version 5, which are derived from names."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable

    number, its_uuid = virtual().json["id"], uuid.uuid4()
    if version == 5:
        its_uuid = names.content_uuid(me.id, str(its_uuid))
    with all_metadata(app):
        db.session.get(SqlaTable, number).uuid = its_uuid
        db.session.commit()
    analyst = me.analyst
    answers = {
        "dataset": analyst.get(f"/api/v1/dataset/{its_uuid}"),
        "related": analyst.get(f"/api/v1/dataset/{its_uuid}/related_objects"),
        "list": analyst.get(f"/api/v1/dataset/?q=(filters:!((col:uuid,opr:eq,value:'{its_uuid}')))"),
        "chart data": analyst.post("/api/v1/chart/data", query_context(str(its_uuid))),
        "column": analyst.get(f"/api/v1/datasource/table/{number}/column/customer/values/"),
        "save": analyst.put(f"/api/v1/dataset/{number}", {"description": "asked for"}),
        "save with it": analyst.put(f"/api/v1/dataset/{number}", {"uuid": str(its_uuid)}),
        "refresh": analyst.put(f"/api/v1/dataset/{number}/refresh", {}),
        "copy": analyst.post("/api/v1/dataset/duplicate", {"base_model_id": number, "table_name": f"c {uuid.uuid4().hex}"}),
    }
    assert {name: answer.text for name, answer in answers.items() if answer.status_code >= 500} == {}
    for name in ("dataset", "related", "chart data", "column", "save", "refresh"):
        assert answers[name].status_code == 200, (name, answers[name].text)
    explored = analyst.get(f"/api/v1/explore/?datasource_type=table&datasource_id={its_uuid}")
    assert explored.status_code < 500, explored.text
