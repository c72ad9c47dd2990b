"""Superset's log of actions in its metadata, one line for each request.

Superset writes one more for each of five steps inside of a request, and commits each: which empties its session, so that users,
roles and databases are read again, and takes longer than a small query. What was asked and by whom is in the line of the request,
and in SQL Lab's history.

A page reports what was done on it in lists, and says of which chart and dashboard. Superset joins these to their titles, so what
is not the caller's is left out; and one report has a bounded number of lines.
"""

from typing import Any

from superset.utils.log import DBEventLogger

#: Steps of a request, not requests.
_STEPS = {
    "ChartDataRestApi.json_dumps",
    "QueryObject.post_processing",
    "_get_data_response",
    "execute_sql",
    "load_into_dataframe",
}
#: A dashboard of 30 charts reports about 150 at once.
MOST_LINES = 500


class RequestEventLogger(DBEventLogger):
    """EVENT_LOGGER."""

    def log_with_context(self, action: str, *arguments: Any, **payload: Any) -> None:
        """Writes the line, unless it is for a step."""
        if action not in _STEPS:
            super().log_with_context(action, *arguments, **payload)

    def log(
        self,
        user_id: int | None,
        action: str,
        dashboard_id: int | None,
        duration_ms: int | None,
        slice_id: int | None,
        referrer: str | None,
        *arguments: Any,
        records: Any = None,
        **payload: Any,
    ) -> None:
        """Writes what the caller may name."""
        from superset_tenancy.requests.logged import own_only

        lines = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
        dashboard_id, slice_id = own_only(dashboard_id, slice_id)
        for line in lines[:MOST_LINES]:
            line["dashboard_id"], line["slice_id"] = own_only(line.get("dashboard_id"), line.get("slice_id"))
        lines = lines[:MOST_LINES]
        super().log(user_id, action, dashboard_id, duration_ms, slice_id, referrer, *arguments, records=lines, **payload)
