"""What is saved with SQL or the name of a schema in it is looked at just before it is written, whichever request brought it.

SQL Lab writes down what was typed before it does anything else: refused here, it is refused with the reason.
"""

from typing import Any

from sqlalchemy import event
from superset.connectors.sqla.models import SqlaTable
from superset.models.sql_lab import Query, SavedQuery, TableSchema, TabState

from superset_tenancy.sql.identifiers import require_names

_WITH_SCHEMA = (SqlaTable, Query, SavedQuery, TabState, TableSchema)


def look_at_saved_texts() -> None:
    """Looks at what is saved from now on."""
    for model in _WITH_SCHEMA:
        for moment in ("before_insert", "before_update"):
            event.listen(model, moment, _refuse_other_than_names)


def _refuse_other_than_names(_mapper: Any, _connection: Any, thing: Any) -> None:
    require_names(getattr(thing, "catalog", None), thing.schema)
