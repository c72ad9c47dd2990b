"""Bodies that the description of the API is not enough for, by route: each takes whose references to name."""

import json
import uuid
from collections.abc import Callable
from typing import Any

from crawl_objects import QUESTION, Belongings

from world import adhoc, query_context

Payload = Callable[[Belongings, Belongings], tuple[dict[str, Any] | None, Any, dict[str, str] | None]]


def _form_data(own: Belongings, named: Belongings) -> dict[str, Any]:
    return {
        "datasource": f"{named.tenant.datasets['orders']}__table",
        "viz_type": "partition",
        "groupby": ["customer"],
        "metrics": [adhoc("COUNT(*)")],
        "slice_id": named.of("chart").number,
        "dashboardId": own.of("dashboard").number,
        "row_limit": 100,
    }


def _filters(named: Belongings) -> dict[str, Any]:
    target = {"datasetId": named.tenant.datasets["orders"], "column": {"name": "customer"}}
    changed = {"id": "NATIVE_FILTER-1", "name": "Customer", "filterType": "filter_select", "targets": [target]}
    return {"deleted": [], "modified": [changed], "reordered": []}


def _positions(named: Belongings) -> dict[str, Any]:
    return {"CHART-1": {"id": "CHART-1", "type": "CHART", "meta": {"chartId": named.of("chart").number}}}


def _body(make: Callable[[Belongings, Belongings], Any]) -> Payload:
    return lambda own, named: (None, make(own, named), None)


def _query(make: Callable[[Belongings, Belongings], dict[str, Any]]) -> Payload:
    return lambda own, named: (make(own, named), None, None)


def _form(make: Callable[[Belongings, Belongings], dict[str, str]]) -> Payload:
    return lambda own, named: (None, None, make(own, named))


PAYLOADS: dict[tuple[str, str], Payload] = {
    ("POST", "/api/v1/chart/data"): _body(
        lambda own, named: {
            **query_context(named.tenant.datasets["orders"], **QUESTION),
            "form_data": {"slice_id": named.of("chart").number, "dashboardId": own.of("dashboard").number},
        }
    ),
    ("POST", "/api/v1/sqllab/execute/"): _body(
        lambda own, named: {
            "database_id": named.tenant.database,
            "sql": "SELECT customer FROM analytics.orders LIMIT 5",
            "client_id": uuid.uuid4().hex[:10],
            "schema": "analytics",
            "runAsync": False,
        }
    ),
    ("POST", "/api/v1/sqllab/export_streaming/"): _form(lambda own, named: {"client_id": named.of("query").texts[0]}),
    ("GET", "/api/v1/sqllab/results/"): _query(lambda own, named: {"q": f"(key:'{named.of('query').texts[0]}')"}),
    ("POST", "/superset/explore_json/"): _form(lambda own, named: {"form_data": json.dumps(_form_data(own, named))}),
    ("POST", "/superset/log/"): lambda own, named: (
        {"explode": "events", "dashboard_id": named.of("dashboard").number},
        None,
        {"events": json.dumps([{"event_name": "mount_dashboard", "slice_id": named.of("chart").number}])},
    ),
    ("POST", "/datasource/samples"): lambda own, named: (
        {"datasource_type": "table", "datasource_id": named.of("dataset").number, "per_page": 10, "page": 1, "force": "true"},
        {"filters": []},
        None,
    ),
    ("GET", "/datasource/external_metadata_by_name/"): _query(
        lambda own, named: {
            "q": f"(catalog_name:!n,database_name:'{named.of('database').number}',datasource_type:table,"
            f"schema_name:{named.of('schema').texts[0]},table_name:notes,always_filter_main_dttm:!f,normalize_columns:!f)"
        }
    ),
    ("GET", "/superset/fetch_datasource_metadata"): _query(
        lambda own, named: {"datasourceKey": f"{named.of('dataset').number}__table"}
    ),
    ("GET", "/explore/"): _query(
        lambda own, named: {"slice_id": named.of("chart").number, "form_data": json.dumps(_form_data(own, own))}
    ),
    ("POST", "/api/v1/explore/form_data"): _body(
        lambda own, named: {
            "datasource_id": named.of("dataset").number,
            "datasource_type": "table",
            "chart_id": named.of("chart").number,
            "form_data": "{}",
        }
    ),
    ("POST", "/api/v1/explore/permalink"): _body(
        lambda own, named: {
            "formData": {"datasource": f"{named.of('dataset').number}__table", "slice_id": named.of("chart").number}
        }
    ),
    ("POST", "/api/v1/dashboard/<pk>/permalink"): _body(lambda own, named: {"dataMask": {}, "activeTabs": []}),
    ("POST", "/api/v1/dashboard/<id_or_slug>/copy/"): _body(
        lambda own, named: {
            "dashboard_title": "Copy",
            "duplicate_slices": True,
            "json_metadata": json.dumps({"positions": _positions(named)}),
        }
    ),
    # As the list's page asks. Without keys Superset has an error.
    ("GET", "/api/v1/database/_info"): _query(lambda own, named: {"q": "(keys:!(permissions))"}),
    ("GET", "/api/v1/time_range/"): _query(lambda own, named: {"q": "'Last week'"}),
    ("PUT", "/api/v1/dashboard/<pk>/colors"): _body(lambda own, named: {"color_scheme": "supersetColors"}),
    ("PUT", "/api/v1/dashboard/<pk>/filters"): _body(lambda own, named: _filters(named)),
    ("PUT", "/api/v1/dashboard/<pk>/chart_customizations"): _body(lambda own, named: _filters(named)),
    ("POST", "/api/v1/dataset/duplicate"): _body(
        lambda own, named: {"base_model_id": named.of("dataset").number, "table_name": uuid.uuid4().hex}
    ),
    ("POST", "/api/v1/dataset/get_or_create/"): _body(
        lambda own, named: {"database_id": named.tenant.database, "table_name": "events", "schema": "analytics"}
    ),
    ("PUT", "/api/v1/me/"): _body(lambda own, named: {"first_name": "C", "last_name": "C"}),
    ("POST", "/api/v1/security/login"): _body(lambda own, named: {"username": "nobody", "password": "x", "provider": "db"}),
    ("POST", "/login/"): _form(lambda own, named: {"username": "nobody", "password": "x"}),
    ("POST", "/resetmypassword/form"): _form(lambda own, named: {}),
    ("POST", "/api/v1/security/guest_token/"): _body(
        lambda own, named: {
            "user": {"username": "x"},
            "resources": [{"type": "dashboard", "id": named.of("embedded").texts[0]}],
            "rls": [],
        }
    ),
}
