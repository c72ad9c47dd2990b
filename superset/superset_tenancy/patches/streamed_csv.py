"""The guard of SQL looks at a CSV that is streamed, too.

Superset 6.1.0 runs its SQL without SQL_QUERY_MUTATOR. It is looked at before the answer begins: the caller gets the reason.
"""

from functools import wraps
from typing import Any

from superset.commands.chart.data.streaming_export_command import StreamingCSVExportCommand
from superset.commands.sql_lab.streaming_export_command import StreamingSqlResultExportCommand

from superset_tenancy.sql.mutator import refuse_other_than_queries

_PATCHED = "_is_looked_at"


def apply() -> None:
    for command in (StreamingCSVExportCommand, StreamingSqlResultExportCommand):
        _look_at_sql_of(command)


def _look_at_sql_of(command: Any) -> None:
    original = command._get_sql_and_database
    if getattr(original, _PATCHED, False):
        return

    @wraps(original)
    def get_checked_sql(self: Any) -> tuple[str, Any]:
        sql, database = original(self)
        return refuse_other_than_queries(sql, database=database), database

    setattr(get_checked_sql, _PATCHED, True)
    command._get_sql_and_database = get_checked_sql
