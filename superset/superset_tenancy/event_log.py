"""Superset's log of actions in its metadata, one line for each request.

Superset writes one more for each of five steps inside of a request, and commits each: which empties its session, so that users,
roles and databases are read again, and takes longer than a small query. What was asked and by whom is in the line of the request,
and in SQL Lab's history.
"""

from typing import Any

from superset.utils.log import DBEventLogger

from superset_tenancy.sql.masking import masked

#: Steps of a request, not requests.
_STEPS = {
    "ChartDataRestApi.json_dumps",
    "QueryObject.post_processing",
    "_get_data_response",
    "execute_sql",
    "load_into_dataframe",
}


class RequestEventLogger(DBEventLogger):
    """EVENT_LOGGER."""

    def log_with_context(self, action: str, *arguments: Any, **payload: Any) -> None:
        """Writes the line, unless it is for a step."""
        if action not in _STEPS:
            super().log_with_context(action, *arguments, **payload)

    def log(self, *arguments: Any, **options: Any) -> None:
        """Writes what was asked, without passwords and keys that were typed."""
        super().log(*arguments, **{**options, "records": masked(options.get("records", []))})
