"""Superset's log of actions in its metadata, one line for each request.

What a page reports of itself comes in bundles, of which so many entries of such a size are kept.

Superset writes one more for each of five steps inside of a request, and commits each: which empties its session, so that users,
roles and databases are read again, and takes longer than a small query. What was asked and by whom is in the line of the request,
and in SQL Lab's history.

Superset also lets any request name the lines to write ("explode"), with any text and object. Here a request gets its one line.
Only the user interface's own report may name objects: that a dashboard or chart was opened, which the home page lists, and only
if the caller may open it.
"""

from typing import Any

from superset.exceptions import SupersetSecurityException
from superset.utils import json
from superset.utils.log import DBEventLogger

#: Characters of a line.
LONGEST_ENTRY = 20_000

#: Steps of a request, not requests.
_STEPS = {
    "ChartDataRestApi.json_dumps",
    "QueryObject.post_processing",
    "_get_data_response",
    "execute_sql",
    "load_into_dataframe",
}
#: The action of POST /superset/log/.
_REPORT = "log"
#: What the home page lists, under the names that the user interface reports.
_OPENED = {"mount_dashboard", "mount_explorer"}
_MOST_OPENED = 10


class RequestEventLogger(DBEventLogger):
    """EVENT_LOGGER."""

    def log_with_context(self, action: str, *arguments: Any, **payload: Any) -> None:
        """Writes the line, unless it is for a step."""
        if action not in _STEPS:
            super().log_with_context(action, *arguments, **payload)

    def log(self, user_id: int | None, action: str, *arguments: Any, records: Any = (), **details: Any) -> None:
        """Writes one line, or one for each object that was opened."""
        named = [record for record in records if isinstance(record, dict)] if isinstance(records, list) else []
        if action != _REPORT:
            super().log(user_id, action, *arguments, records=[_within_bounds(record) for record in named[:1]] or [{}], **details)
        elif opened := _opened(named, details) if user_id else []:
            details |= {"dashboard_id": None, "slice_id": None}
            super().log(user_id, action, *arguments, records=opened, **details)


def _opened(records: list[dict[str, Any]], details: dict[str, Any]) -> list[dict[str, Any]]:
    """The reports that the home page needs, in its words and nothing else."""
    opened: list[dict[str, Any]] = []
    for record in records:
        name = record.get("event_name")
        report = {
            "event_name": name,
            "dashboard_id": _number(details.get("dashboard_id") or record.get("dashboard_id")),
            "slice_id": _number(details.get("slice_id") or record.get("slice_id")),
        }
        if isinstance(name, str) and name in _OPENED and report not in opened and _may_open(report):
            opened.append(report)
        if len(opened) == _MOST_OPENED:
            break
    return opened


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and 0 < value < 2**31 else None


def _may_open(report: dict[str, Any]) -> bool:
    from superset import db, security_manager
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    things = [(Dashboard, "dashboard", report["dashboard_id"]), (Slice, "chart", report["slice_id"])]
    for model, kind, number in things:
        if number is None:
            continue
        thing = db.session.get(model, number)
        if thing is None:
            return False
        try:
            security_manager.raise_for_access(**{kind: thing})
        except SupersetSecurityException:
            return False
    return any(number is not None for _, _, number in things)


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
