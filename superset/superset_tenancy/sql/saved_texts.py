"""What is saved with SQL or the name of a schema in it is looked at just before it is written, whichever request brought it.

SQL Lab writes down what was typed before it does anything else: refused here, it is refused with the reason. Saved queries may be
drafts: they are looked at when they are read or run.
"""

from typing import Any

from sqlalchemy import event
from superset.connectors.sqla.models import SqlaTable, SqlMetric, TableColumn
from superset.models.sql_lab import Query, SavedQuery, TableSchema, TabState

from superset_tenancy.sql.identifiers import require_names
from superset_tenancy.sql.mutator import refuse_other_than_queries
from superset_tenancy.sql.parsing import refuse_text

_WITH_SCHEMA = (SqlaTable, Query, SavedQuery, TabState, TableSchema)
#: Attributes that hold expressions or a query.
_WITH_SQL = {SqlaTable: ("sql", "fetch_values_predicate"), TableColumn: ("expression",), SqlMetric: ("expression",)}


def look_at_saved_texts() -> None:
    """Looks at what is saved from now on."""
    for moment in ("before_insert", "before_update"):
        for model in _WITH_SCHEMA:
            event.listen(model, moment, _refuse_other_than_names)
        for model in _WITH_SQL:
            event.listen(model, moment, _refuse_other_than_sql)
    event.listen(Query, "before_insert", _refuse_statement)


def _refuse_other_than_names(_mapper: Any, _connection: Any, thing: Any) -> None:
    require_names(getattr(thing, "catalog", None), thing.schema)


def _refuse_other_than_sql(_mapper: Any, _connection: Any, thing: Any) -> None:
    for attribute in _WITH_SQL[type(thing)]:
        if text := getattr(thing, attribute):
            refuse_text(text)


def _refuse_statement(_mapper: Any, _connection: Any, query: Query) -> None:
    refuse_other_than_queries(query.sql or "", database=query.database)
