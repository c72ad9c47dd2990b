"""Two tenants at work: each has an analyst and a viewer, datasets, charts and a dashboard, all made through its API."""

import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from servers import OWNER

PASSWORD = "a password for tests"


@contextmanager
def all_metadata(app: Flask) -> Iterator[None]:
    """An application context in which a test looks at Superset's metadata, those of all tenants."""
    from superset_tenancy.metadata.scope import PLATFORM, as_scope

    with app.app_context(), as_scope(PLATFORM):
        yield


@contextmanager
def as_owner(app: Flask) -> Iterator[None]:
    """Superset as the migration task runs it: logged in as the owner of the metadata."""
    from superset import db

    before = {name: os.environ[name] for name in OWNER}
    os.environ.update(OWNER)
    with app.app_context():
        db.engine.dispose()
    try:
        yield
    finally:
        os.environ.update(before)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def open_metadata(app: Flask) -> Iterator[None]:
    """As if every row were everybody's."""
    from superset_tenancy.metadata.tables import PEOPLE_TABLES, TENANT_TABLES

    tables = [table.name for table in (*TENANT_TABLES, *PEOPLE_TABLES)]
    _alter(app, [f"CREATE POLICY test_open ON public.{name} TO superset_web USING (true)" for name in tables])
    try:
        yield
    finally:
        _alter(app, [f"DROP POLICY test_open ON public.{name}" for name in tables])


@contextmanager
def without_allow_list(app: Flask) -> Iterator[None]:
    """As if no route were withheld, so that what stands behind the list of routes is asked."""
    hooks = app.before_request_funcs[None]
    check = next(hook for hook in hooks if hook.__name__ == "check_route")
    position = hooks.index(check)
    hooks.remove(check)
    try:
        yield
    finally:
        hooks.insert(position, check)


def _alter(app: Flask, statements: list[str]) -> None:
    with as_owner(app):
        connection = app.config["SQLALCHEMY_ENGINE_OPTIONS"]["creator"]()
    connection.autocommit = True
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    connection.close()


class Web:
    """A web server under a URL, asked in the words of Flask's test client."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()

    def get(self, path: str, headers: dict | None = None) -> SimpleNamespace:
        return self._answer(self.session.get(self.url + path, headers=self._with_cookies(headers), timeout=60))

    def post(self, path: str, json: dict, headers: dict | None = None) -> SimpleNamespace:
        return self._answer(self.session.post(self.url + path, json=json, headers=self._with_cookies(headers), timeout=60))

    def _with_cookies(self, headers: dict | None) -> dict:
        """Cookies for TLS only, which ends at a load balancer that is not here."""
        return {**(headers or {}), "Cookie": "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.session.cookies)}

    @staticmethod
    def _answer(answer: requests.Response) -> SimpleNamespace:
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return SimpleNamespace(
            status_code=answer.status_code, text=answer.text, is_json=is_json, json=answer.json() if is_json else None
        )


class Person:
    """Somebody who is signed in, and talks to Superset as a browser does."""

    def __init__(self, client: FlaskClient | Web, username: str, password: str = PASSWORD) -> None:
        self.client = client
        self.username = username
        body = {"username": username, "password": password, "provider": "db", "refresh": False}
        answer = client.post("/api/v1/security/login", json=body)
        assert answer.status_code == 200, answer.text
        self.headers = {"Authorization": f"Bearer {answer.json['access_token']}"}
        if isinstance(client, Web):
            self.headers["X-CSRFToken"] = self.get("/api/v1/security/csrf_token/").json["result"]

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return self.client.get(path, headers=self.headers, **arguments)

    def post(self, path: str, body: dict) -> TestResponse:
        return self.client.post(path, json=body, headers=self.headers)

    def put(self, path: str, body: dict) -> TestResponse:
        return self.client.put(path, json=body, headers=self.headers)

    def delete(self, path: str) -> TestResponse:
        return self.client.delete(path, headers=self.headers)

    def create(self, kind: str, **body: Any) -> int:
        answer = self.post(f"/api/v1/{kind}/", body)
        assert answer.status_code == 201, answer.text
        return answer.json["id"]

    def chart_data(self, dataset: int, result_format: str = "json", dashboard: int | None = None, **query: Any):
        """What Explore and dashboards ask for."""
        form_data = {"dashboardId": dashboard, "slice_id": query.pop("chart", None)} if dashboard else {}
        body = {**query_context(dataset, **query), "form_data": form_data, "result_format": result_format}
        return self.post("/api/v1/chart/data", body)

    def sql(self, database: int, sql: str, **options: Any) -> TestResponse:
        """SQL Lab, waiting for the result."""
        body = {
            "database_id": database,
            "sql": sql,
            "client_id": uuid.uuid4().hex[:10],
            "runAsync": False,
            "schema": "analytics",
            "queryLimit": 1000,
            **options,
        }
        return self.post("/api/v1/sqllab/execute/", body)


class Guest:
    """A browser with a guest token, as an embedding page gives it one."""

    def __init__(self, client: FlaskClient, platform: Person, dashboard: str, username: str) -> None:
        body = {"user": {"username": username}, "resources": [{"type": "dashboard", "id": dashboard}], "rls": []}
        answer = platform.post("/api/v1/security/guest_token/", body)
        assert answer.status_code == 200, answer.text
        self.client = client
        self.headers = {"X-GuestToken": answer.json["token"]}

    def chart_data(self, tenant: "Tenant", dashboard: int, **query: Any) -> TestResponse:
        """The saved chart, as a part of a dashboard; or another question in its name."""
        saved = tenant.analyst.get(f"/api/v1/chart/{tenant.chart}").json["result"]["query_context"]
        body = {**json.loads(saved), "form_data": {"dashboardId": dashboard, "slice_id": tenant.chart}}
        body["queries"][0] |= query
        return self.client.post("/api/v1/chart/data", json=body, headers=self.headers)


def query_context(dataset: int, force: bool = True, **query: Any) -> dict:
    """A count of a dataset's rows, or what else is asked of it; never from the cache unless the test is about that."""
    return {
        "datasource": {"id": dataset, "type": "table"},
        "queries": [{"columns": [], "metrics": [adhoc("COUNT(*)")], "row_limit": 1000, **query}],
        "result_format": "json",
        "result_type": "full",
        "force": force,
    }


def rows(answer: TestResponse) -> list[dict]:
    """The rows of chart data or of SQL Lab; fails with what Superset said otherwise."""
    assert answer.status_code == 200, answer.text
    result = answer.json
    return result["data"] if "data" in result else result["result"][0]["data"]


def adhoc(expression: str, label: str = "n") -> dict:
    """A metric in SQL, as Explore makes one."""
    return {"expressionType": "SQL", "sqlExpression": expression, "label": label}


@dataclass
class Tenant:
    """What a test knows of a tenant."""

    id: str
    value: str
    canary: str
    orders: int
    database: int
    #: Schema of the tables that the tenant does not share.
    own_schema: str
    viewer: Person
    analyst: Person
    datasets: dict[str, int] = field(default_factory=dict)
    chart: int = 0
    dashboard: int = 0

    def make_content(self, admin_role_ids: list[int]) -> None:
        """A dataset per table, a chart and a dashboard, as the analyst makes them."""
        for table, schema in (("orders", "analytics"), ("events", "analytics"), ("notes", self.own_schema)):
            self.datasets[table] = self.analyst.create("dataset", database=self.database, schema=schema, table_name=table)
        self.dashboard = self.analyst.create(
            "dashboard", dashboard_title=f"Orders of {self.id}", published=True, roles=admin_role_ids
        )
        self.chart = self.analyst.create(
            "chart",
            slice_name=f"Number of orders of {self.id}",
            viz_type="big_number_total",
            datasource_id=self.datasets["orders"],
            datasource_type="table",
            params=json.dumps({"metric": adhoc("COUNT(*)"), "datasource": f"{self.datasets['orders']}__table"}),
            query_context=json.dumps(query_context(self.datasets["orders"])),
            dashboards=[self.dashboard],
        )
