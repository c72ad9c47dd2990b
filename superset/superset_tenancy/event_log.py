"""Superset's log of actions in its metadata, one line for each request.

What a page reports of itself comes in bundles, of which so many entries of such a size are kept.

Superset writes one more for each of five steps inside of a request, and commits each: which empties its session, so that users,
roles and databases are read again, and takes longer than a small query. What was asked and by whom is in the line of the request,
and in SQL Lab's history.
"""

from typing import Any

from superset.utils import json
from superset.utils.log import DBEventLogger

#: Entries of one request, and characters of one of them.
MOST_ENTRIES = 100
LONGEST_ENTRY = 20_000

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

    def log(self, *arguments: Any, records: list[Any] | None = None, **payload: Any) -> None:
        """Writes the entries of a request, as many as it may have."""
        kept = [_within_bounds(record) for record in (records or [])[:MOST_ENTRIES]]
        super().log(*arguments, records=kept, **payload)


def _within_bounds(record: Any) -> dict[str, Any]:
    """Superset reads an entry as a mapping, and fails on other values."""
    if not isinstance(record, dict):
        return {}
    try:
        length = len(json.dumps(record))
    except (TypeError, ValueError):
        return record
    numbers = {name: record[name] for name in ("dashboard_id", "slice_id") if isinstance(record.get(name), int)}
    return record if length <= LONGEST_ENTRY else {**numbers, "left_out": f"{length:,} characters"}
