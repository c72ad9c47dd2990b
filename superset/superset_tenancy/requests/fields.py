"""The fields of a request that identify something, by name, and how a value is read as an identifier.

A test goes through all fields of Superset's schemas and through all parts of its paths: one that looks like an identifier and is
neither here nor in the test's list fails it.
"""

import re
import uuid
from collections.abc import Iterator
from typing import Any

#: Kind of thing by the name of the field.
IDENTIFIES = {
    name: kind
    for kind, names in {
        "chart": """chart chart_id chartId chart_ids charts deck_slices parent_slice_id slice slice_id sliceId slice_ids slices
            chart_uuid""",
        "dataset": """base_model_id datasetId datasetUuid dataset dataset_id dataset_uuid datasets datasource datasourceId
            datasourceKey datasource_id datasource_uuid datasources table_id tables_ids""",
        "database": "database databaseId database_id database_uuid databases dbId db_id explore_database_id",
        "dashboard": """dashboard dashboardId dashboard_id dashboard_id_or_slug dashboard_ids dashboard_uuid dashboards
            id_or_slug""",
        "user": "changed_by changed_by_fk created_by created_by_fk owner owners user userId user_id user_ids users",
        "role": "role role_id role_ids roles",
        "query": "latest_query_id queryId query_id",
        "saved_query": "savedQueryId saved_query_id",
    }.items()
    for name in names.split()
}
#: Fields that name a schema of PostgreSQL.
SCHEMAS = {"default_schema", "force_ctas_schema", "schema", "schemaName", "schema_name", "selectedSchema", "table_schema"}
#: Parts of an API's path, and elements of a list that is all of `q`, are what the API is about.
RESOURCES = {
    "chart": "chart",
    "dashboard": "dashboard",
    "database": "database",
    "dataset": "dataset",
    "query": "query",
    "saved_query": "saved_query",
}
PATH_PARTS = {"pk", "uuid", "uuid_str"}
#: What stands in these has columns, labels and settings of the tenant's own for names.
OPAQUE = {
    "aggregates",
    "column_config",
    "conditional_formatting",
    "css",
    "extra_json",
    "label_colors",
    "map_label_colors",
    "post_processing",
    "shared_label_colors",
    "sql",
    "templateParams",
    "template_params",
    "url_params",
    "urlParams",
}

_DATASOURCE = re.compile(r"\s*(?P<number>[^_\s]+)__(?P<type>\w+)\s*")

Identifier = int | uuid.UUID | str


def identifiers(kind: str, value: Any) -> Iterator[tuple[str, Identifier]]:
    """What a field's value identifies, with its kind: a number, a UUID, or the slug of a dashboard."""
    if isinstance(value, list | tuple | set):
        for element in value:
            yield from identifiers(kind, element)
    elif isinstance(value, dict):
        if kind == "dataset" and value.get("type") == "query":
            kind = "query"
        for name in ("id", "value", "uuid"):
            yield from identifiers(kind, value.get(name))
    elif isinstance(value, float):
        yield from identifiers(kind, int(value) if value.is_integer() else None)
    elif isinstance(value, int) and not isinstance(value, bool) and value > 0:
        yield kind, value
    elif isinstance(value, str):
        yield from _identifiers_in_text(kind, value)


def _identifiers_in_text(kind: str, text: str) -> Iterator[tuple[str, Identifier]]:
    datasource = _DATASOURCE.fullmatch(text) if kind == "dataset" else None
    if datasource:
        kind = "query" if datasource["type"] == "query" else kind
        text = datasource["number"]
    number = _number(text)
    if number:
        yield kind, number
    else:
        try:
            yield kind, uuid.UUID(text.strip())
        except ValueError:
            if kind == "dashboard" and text:
                yield kind, text


def _number(text: str) -> int | None:
    """As Python and PostgreSQL read it, both of which also take other bases."""
    for base in (10, 0):
        try:
            number = int(text, base)
        except ValueError:
            continue
        return number if 0 < number < 2**63 else None
    return None
