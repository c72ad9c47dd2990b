"""What people find who have dashboards only: viewers, and guests of embedded dashboards."""

import json
from typing import Any

from superset import db, security_manager
from superset.models.slice import Slice


def is_on_a_dashboard_of_the_caller(chart: Slice) -> bool:
    """Whether the chart is on a dashboard that the caller may open, itself or as a layer of one that is."""
    return _is_shown(chart) or any(_is_shown(parent) for parent in _parents(chart))


def _is_shown(chart: Slice) -> bool:
    return any(security_manager.can_access_dashboard(dashboard) for dashboard in chart.dashboards)


def _parents(chart: Slice) -> list[Slice]:
    charts = db.session.query(Slice).filter(Slice.viz_type == "deck_multi", Slice.params.contains(str(chart.id)))
    return [parent for parent in charts if chart.id in _layers(parent)]


def _layers(parent: Slice) -> Any:
    try:
        return json.loads(parent.params or "{}").get("deck_slices") or ()
    except ValueError:
        return ()
