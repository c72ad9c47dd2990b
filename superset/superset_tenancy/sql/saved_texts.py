"""What is saved with SQL or the name of a schema in it is looked at just before it is written, whichever request brought it.

SQL Lab writes down what was typed before it does anything else: refused here, it is refused with the reason. Saved queries may be
drafts: they are looked at when they are read or run.
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session
from superset.connectors.sqla.models import SqlaTable, SqlMetric, TableColumn
from superset.models.sql_lab import Query, SavedQuery, TableSchema, TabState

from superset_tenancy.sql.identifiers import require_names
from superset_tenancy.sql.mutator import refuse_other_than_queries
from superset_tenancy.sql.text_guard import refuse_text

_WITH_SCHEMA = (SqlaTable, Query, SavedQuery, TabState, TableSchema)
#: Attributes that hold expressions or a query.
_WITH_SQL = {SqlaTable: ("sql", "fetch_values_predicate"), TableColumn: ("expression",), SqlMetric: ("expression",)}


#: Writes of many rows at once, which tell no listener of a class.
_BULK = ("bulk_insert_mappings", "bulk_update_mappings")
_LOOKED_AT = "_texts_are_looked_at"


def look_at_saved_texts() -> None:
    """Looks at what is saved from now on."""
    for moment in ("before_insert", "before_update"):
        for model in {*_WITH_SCHEMA, *_WITH_SQL}:
            event.listen(model, moment, _refuse_thing)
    event.listen(Query, "before_insert", _refuse_statement)
    for name in _BULK:
        write = getattr(Session, name)
        if not getattr(write, _LOOKED_AT, False):
            setattr(Session, name, _looking_first(write))


def _looking_first(write: Callable) -> Callable:
    @wraps(write)
    def look_and_write(self: Session, mapper: Any, mappings: Iterable[dict[str, Any]], *arguments: Any, **options: Any) -> Any:
        model = getattr(mapper, "class_", mapper)
        mappings = list(mappings)
        for mapping in mappings:
            _refuse(model, mapping.get)
        return write(self, mapper, mappings, *arguments, **options)

    setattr(look_and_write, _LOOKED_AT, True)
    return look_and_write


def _refuse_thing(_mapper: Any, _connection: Any, thing: Any) -> None:
    _refuse(type(thing), lambda attribute: getattr(thing, attribute, None))


def _refuse(model: type, value_of: Callable[[str], Any]) -> None:
    if model in _WITH_SCHEMA:
        require_names(value_of("catalog"), value_of("schema"))
    for attribute in _WITH_SQL.get(model, ()):
        if text := value_of(attribute):
            refuse_text(text)


def _refuse_statement(_mapper: Any, _connection: Any, query: Query) -> None:
    refuse_other_than_queries(query.sql or "", database=query.database)
