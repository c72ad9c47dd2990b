"""A refusal is answered as what it is, with its reason, wherever Superset loses it; an error of the server stays one."""

import io
import uuid
import zipfile

import pytest
from callers import Browser

from superset_tenancy import names
from world import query_context


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


def test_a_table_of_the_others_in_sql_lab(me, other):
    """Superset runs a query in contexts of its own within those of the request."""
    answer = me.analyst.sql(me.database, f"SELECT count(*) FROM tenant_{other.id}.notes")
    assert answer.status_code == 403 and "is not allowed here" in answer.text, answer.text
    assert me.analyst.get("/api/v1/chart/").status_code == 200


def test_a_uuid_that_is_taken(me):
    body = {"dashboard_title": "x", "slug": f"slug-{uuid.uuid4().hex[:8]}", "uuid": str(uuid.uuid4())}
    me.analyst.create("dashboard", **body)
    answer = me.analyst.post("/api/v1/dashboard/", {**body, "slug": f"slug-{uuid.uuid4().hex[:8]}"})
    assert answer.status_code == 422 and "exists already" in answer.text, answer.text
    assert "no-store" in answer.headers["Cache-Control"]
    assert "uq_dashboards_uuid" not in answer.text and "dashboards" not in answer.json["message"]


def test_a_virtual_dataset_with_a_uuid_of_shared_content(me):
    body = {"database": me.database, "schema": "analytics", "sql": "SELECT 1 AS n", "table_name": f"v {uuid.uuid4().hex}"}
    reserved = str(names.content_uuid("tz81mm", str(uuid.uuid4())))
    answer = me.analyst.post("/api/v1/dataset/", {**body, "uuid": reserved})
    assert answer.status_code == 400 and "reserved for shared content" in answer.text, answer.text
    made = me.analyst.post("/api/v1/dataset/", {**body, "uuid": str(uuid.uuid4())})
    assert made.status_code == 201, made.text
    answer = me.analyst.put(f"/api/v1/dataset/{made.json['id']}", {"uuid": reserved})
    assert answer.status_code == 400 and "reserved for shared content" in answer.text, answer.text
    answer = me.analyst.post("/api/v1/chart/data", query_context(reserved))
    assert answer.status_code == 404, answer.text


class TestImports:
    """Their route is withheld; what it would answer is asked behind the list of routes."""

    @pytest.fixture
    def imported(self, app, me, every_route):
        """Imports a file beside the metadata; the answer."""

        def post(name: str, text: str):
            bundle = io.BytesIO()
            with zipfile.ZipFile(bundle, "w") as file:
                file.writestr("b/metadata.yaml", "version: 1.0.0\ntype: Dashboard\ntimestamp: '2026-01-01T00:00:00+00:00'\n")
                file.writestr(f"b/{name}", text)
            bundle.seek(0)
            browser = Browser(app.test_client(), f"analyst-{me.id}", headers=me.analyst.headers)
            return browser.ask("POST", "/api/v1/dashboard/import/", data={"formData": (bundle, "b.zip")})

        return post

    def test_tags_of_yaml(self, imported):
        answer = imported("dashboards/d.yaml", "!!python/object/apply:os.system ['true']")
        assert 400 <= answer.status_code < 500 and "unknown reason" not in answer.text, answer.text

    def test_a_file_of_a_wrong_form(self, imported):
        answer = imported("dashboards/d.yaml", "dashboard_title: [1, 2]\nversion: 1.0.0")
        assert 400 <= answer.status_code < 500 and "unknown reason" not in answer.text, answer.text


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("SELECT no_such_column FROM orders", "no_such_column"),
        ("SELECT * FROM no_such_table", "no_such_table"),
        ("SELECT 1 / 0 AS n", "division by zero"),
        (f"SELECT {'ARRAY[' * 20}1{']' * 20} AS n", "number of array dimensions"),
    ],
)
def test_a_mistake_in_sql_lab_is_no_error_of_the_server(me, sql, said):
    answer = me.analyst.sql(me.database, sql)
    assert answer.status_code == 400, answer.text
    (error,) = answer.json["errors"]
    assert said in error["message"] and error["extra"]["engine_name"] == "PostgreSQL"
    assert me.analyst.sql(me.database, "SELECT 1 AS n").status_code == 200


def test_a_dataset_whose_query_no_longer_runs(me):
    body = {"database": me.database, "schema": "analytics", "table_name": f"d-{uuid.uuid4().hex[:8]}"}
    dataset = me.analyst.create("dataset", **body, sql="SELECT 1 AS n")
    path = f"/api/v1/datasource/table/{dataset}/column/n/values/"
    assert me.analyst.get(path).json["result"] == [1]
    me.analyst.put(f"/api/v1/dataset/{dataset}", {"sql": "SELECT no_such_column AS n FROM orders"})
    answer = me.analyst.get(path)
    assert answer.status_code == 400 and 'column "no_such_column" does not exist' in answer.json["message"], answer.text


def test_a_table_that_does_not_exist(me):
    path = f"/api/v1/database/{me.database}/table_metadata/?schema=analytics&name="
    assert me.analyst.get(path + "orders").status_code == 200
    answer = me.analyst.get(path + "no_such_table")
    assert answer.status_code == 404 and "no_such_table does not exist" in answer.json["message"], answer.text


def test_an_error_of_the_server_stays_one(me, monkeypatch):
    from superset.daos.chart import ChartDAO

    def fail(*_arguments, **_named):
        raise KeyError("of the server")

    monkeypatch.setattr(ChartDAO, "favorited_ids", fail)
    answer = me.analyst.get(f"/api/v1/chart/favorite_status/?q=!({me.chart})")
    assert answer.status_code == 500 and "of the server" not in answer.text, answer.text


def test_reasons_of_errors(app):
    """The innermost one counts; an error of the server has none."""
    from psycopg2.errors import InsufficientPrivilege, UniqueViolation
    from superset.commands.dashboard.exceptions import DashboardImportError
    from superset.commands.exceptions import ImportFailedError
    from superset.key_value.exceptions import KeyValueParseKeyError
    from werkzeug.exceptions import NotFound

    from superset_tenancy.refusals.reasons import OF_METADATA, reason_of
    from superset_tenancy.refusals.refusal import TenancyRefusal

    def chain(*errors):
        for outer, inner in zip(errors, errors[1:], strict=False):
            outer.__cause__ = inner
        return reason_of(errors[0])

    assert chain(KeyError("x")) is None
    assert chain(RuntimeError(), KeyError("x")) is None
    assert chain(DashboardImportError(), KeyError("x")) is None
    assert chain(DashboardImportError(), TenancyRefusal("not yours")) == (403, "not yours", False)
    assert chain(RuntimeError(), ImportFailedError("why")) == (400, "The request was refused: why", False)
    assert chain(RuntimeError(), KeyValueParseKeyError())[0] == 404
    assert chain(RuntimeError(), InsufficientPrivilege()) is None
    assert chain(NotFound("gone"), RuntimeError())[:2] == (404, "gone")
    assert chain(RuntimeError(), UniqueViolation()) is OF_METADATA[UniqueViolation]
