"""SQL and schema of a bundle's dataset: what would run for each tenant as it stands, and nothing else."""

import re
from collections.abc import Iterator
from typing import Any

from superset_tenancy import names
from superset_tenancy.sql.grammar import walk
from superset_tenancy.sql.guard import check, check_expression
from superset_tenancy.sql.identifiers import is_system_schema
from superset_tenancy.sql.parse_tree import statements_of
from superset_tenancy.sql.refused import SqlRefused

#: Schemas that no tenant's tables are in, in any model.
_WITHOUT_TABLES = ("public", "extensions")


def problems_of_sql(config: dict[str, Any], tenant_schema: str | None, own_schema: str | None) -> Iterator[str]:
    """What is wrong with a dataset; `own_schema` is the one schema of each tenant's database, where every tenant has one."""
    sql = config.get("sql") or ""
    if reason := _without_tables(config.get("schema") or "", tenant_schema, own_schema):
        yield f"is in the schema {config['schema']}, {reason}"
    if sql:
        yield from (f"its SQL {problem}" for problem in _problems_of_query(sql, tenant_schema, own_schema))
        if tenant_schema and re.search(rf"\b{tenant_schema}\b", sql):
            yield f"its SQL names {tenant_schema}; without a schema, each tenant's own table is found"
    for what, expression in _expressions(config):
        if expression and (problem := _refusal(check_expression, expression)):
            yield f"its {what} {problem}"


def _problems_of_query(sql: str, tenant_schema: str | None, own_schema: str | None) -> Iterator[str]:
    if problem := _refusal(check, sql):
        yield problem
        return
    (first, *others) = statements_of(sql)
    if others:
        yield "has more than one statement; a dataset is one query"
    for kind, part, _ in walk(first.tree):
        reason = kind == "RangeVar" and _without_tables(part.get("schemaname", ""), tenant_schema, own_schema)
        if reason:
            yield f"reads from the schema {part['schemaname']}, {reason}"


def _refusal(looking: Any, text: str) -> str | None:
    if "{{" in text or "{%" in text:
        return "has a Jinja template, which is not rendered: write plain SQL"
    try:
        looking(text)
    except SqlRefused as refusal:
        return f"is refused: {refusal}"
    return None


def _expressions(config: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for column in config.get("columns") or []:
        yield f"column {column.get('column_name')}", column.get("expression") or ""
    for metric in config.get("metrics") or []:
        yield f"metric {metric.get('metric_name')}", metric.get("expression") or ""
    yield "predicate for filter values", config.get("fetch_values_predicate") or ""


def _without_tables(schema: str, tenant_schema: str | None, own_schema: str | None) -> str | None:
    """Why no tenant has tables in the schema, or None if each may have."""
    if schema in ("", tenant_schema, own_schema):
        return None
    if own_schema:
        return f"which tenants do not have: their tables are in {own_schema}"
    if schema in _WITHOUT_TABLES or is_system_schema(schema) or (names.is_schema_of_tenancy(schema) and schema[:7] != "tenant_"):
        return "which has no tables of tenants: name the schema of the environment file, or none"
    return None
