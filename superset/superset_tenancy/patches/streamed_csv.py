"""A CSV that is streamed is looked at by the guard of SQL, and says why when it ends early.

Superset 6.1.0 runs its SQL without SQL_QUERY_MUTATOR: it is looked at before the answer begins, so that the caller gets the
reason. It ends a file that it cannot finish with a mark whose text is always the same; its page shows the text after the mark,
and keeps no file.
"""

from collections.abc import Iterator
from functools import wraps
from typing import Any

from sqlalchemy.exc import DBAPIError
from superset.commands.chart.data.streaming_export_command import StreamingCSVExportCommand
from superset.commands.sql_lab.streaming_export_command import StreamingSqlResultExportCommand
from superset.commands.streaming_export.base import BaseStreamingCSVExportCommand

from superset_tenancy.results.limits import ResultTooLarge
from superset_tenancy.sql.mutator import refuse_other_than_queries

MARK = "__STREAM_ERROR__:"
_PATCHED = "_of_the_tenancy"


def apply() -> None:
    for command in (StreamingCSVExportCommand, StreamingSqlResultExportCommand):
        _look_at_sql_of(command)
    _say_why_it_ends()


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


def _say_why_it_ends() -> None:
    original = BaseStreamingCSVExportCommand._execute_query_and_stream
    if getattr(original, _PATCHED, False):
        return

    @wraps(original)
    def stream(self: BaseStreamingCSVExportCommand, *arguments: Any) -> Iterator[str]:
        try:
            yield from original(self, *arguments)
        except DBAPIError as error:
            if not isinstance(error.orig, ResultTooLarge):
                raise
            yield f"\n{MARK}{error.orig}\n"

    setattr(stream, _PATCHED, True)
    BaseStreamingCSVExportCommand._execute_query_and_stream = stream
