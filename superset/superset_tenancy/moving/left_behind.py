"""What a tenant has in Superset, or has to do with, that does not go along: said, so that nobody finds out later."""

import json
from collections.abc import Iterator

from superset import db
from superset.reports.models import ReportSchedule
from superset.utils.core import AnnotationType

from superset_tenancy import names
from superset_tenancy.moving.objects import TITLES, Things, people_of, shared_with_others
from superset_tenancy.moving.sessions import Place
from superset_tenancy.provisioning.databases import find_database


def left_behind(tenant: str, things: Things, place: Place) -> Iterator[str]:
    """One line for each thing that somebody must look after."""
    for dashboard in shared_with_others(tenant, things):
        yield f'dashboard "{dashboard.dashboard_title}" is not moved: others have to do with it, too'
    for user in people_of(tenant):
        if others := sorted(role.name for role in user.roles if names.tenant_of_role(role.name) is None):
            yield f"user {user.username} does not take along {', '.join(others)}: give it again there, if it is meant"
    for report in _reports(tenant, things):
        yield f'alert or report "{report.name}" is not moved: make it again there, and switch it off here'
    for chart in things["chart"]:
        layers = _json(chart.params).get("annotation_layers") or []
        if any(layer.get("annotationType") != AnnotationType.FORMULA for layer in layers):
            yield f'chart "{chart.slice_name}" loses its annotations, but for formulas: Superset exports no others'
    for dashboard in things["dashboard"]:
        if dashboard.theme:
            yield f'dashboard "{dashboard.dashboard_title}" keeps its theme only if there is one with the same UUID there'
    for kind in ("dataset", "query"):
        for thing in things[kind]:
            if place.shared and place.own in (thing.sql or ""):
                yield f'{kind} "{getattr(thing, TITLES[kind])}" names {place.own} in its SQL, which is only in a shared database'


def _reports(tenant: str, things: Things) -> list[ReportSchedule]:
    database = find_database(tenant)
    return (
        db.session.query(ReportSchedule)
        .filter(
            ReportSchedule.chart_id.in_([chart.id for chart in things["chart"]])
            | ReportSchedule.dashboard_id.in_([dashboard.id for dashboard in things["dashboard"]])
            | (ReportSchedule.database_id == (database.id if database else None))
        )
        .order_by(ReportSchedule.id)
        .all()
    )


def _json(text: str | None) -> dict:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {}
