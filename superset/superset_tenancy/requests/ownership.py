"""Which tenant a saved thing belongs to.

It follows from the thing: its data's Database, the roles it was given. The present roles of its owners count only for what has
neither, since people come and leave.
"""

import uuid
from collections.abc import Callable
from typing import Any

from flask import has_request_context, request
from superset import db, security_manager
from superset.connectors.sqla.models import SqlaTable
from superset.models.core import Database
from superset.models.dashboard import Dashboard, DashboardRoles, dashboard_slices
from superset.models.slice import Slice
from superset.models.sql_lab import Query, SavedQuery

from superset_tenancy import names
from superset_tenancy.answered import once
from superset_tenancy.identity import tenants_of
from superset_tenancy.requests.fields import Identifier

Tenants = set[str | None]


def tenants_of_dashboard(dashboard: Dashboard) -> Tenants:
    """The tenants that a dashboard has to do with; one, unless something is wrong."""
    if has_request_context() and request.method == "GET":
        return once(("dashboard", dashboard.id), lambda: _tenants_of_dashboard(dashboard))
    return _tenants_of_dashboard(dashboard)


def _tenants_of_dashboard(dashboard: Dashboard) -> Tenants:
    roles = (
        db.session.query(security_manager.role_model.name)
        .join(DashboardRoles, DashboardRoles.c.role_id == security_manager.role_model.id)
        .filter(DashboardRoles.c.dashboard_id == dashboard.id)
    )
    data = (
        db.session.query(Database.sqlalchemy_uri, Database.uuid)
        .join(SqlaTable, SqlaTable.database_id == Database.id)
        .join(Slice, Slice.datasource_id == SqlaTable.id)
        .join(dashboard_slices, dashboard_slices.c.slice_id == Slice.id)
        .filter(dashboard_slices.c.dashboard_id == dashboard.id)
        .distinct()
    )
    with db.session.no_autoflush:
        tenants: Tenants = {names.tenant_of_role(name) for (name,) in roles}
        tenants |= {_tenant(*row) for row in data}
    return tenants or _tenants_of_people(dashboard)


def tenants_of_chart(chart: Slice) -> Tenants:
    """The tenant of the chart's data, or of its people if its dataset is gone."""
    dataset = db.session.get(SqlaTable, chart.datasource_id) if chart.datasource_id else None
    return {_tenant_of(dataset.database)} if dataset else _tenants_of_people(chart)


def _tenants_of_people(thing: Dashboard | Slice) -> Tenants:
    people = {*thing.owners, *([thing.created_by] if thing.created_by else [])}
    return set().union(*(tenants_of(person) for person in people))


def _tenant_of(database: Database | None) -> str | None:
    return _tenant(database.sqlalchemy_uri, database.uuid) if database else None


def _tenant(uri: str | None, its_uuid: uuid.UUID | None) -> str | None:
    return names.tenant_of_database(uri or "", its_uuid)


_OWNERS: dict[str, tuple[Any, Callable[[Any], Tenants]]] = {
    "chart": (Slice, tenants_of_chart),
    "dataset": (SqlaTable, lambda dataset: {_tenant_of(dataset.database)}),
    "database": (Database, lambda database: {_tenant_of(database)}),
    "dashboard": (Dashboard, tenants_of_dashboard),
    "user": (security_manager.user_model, tenants_of),
    "role": (security_manager.role_model, lambda role: {names.tenant_of_role(role.name)}),
    "query": (Query, lambda query: {_tenant_of(query.database)}),
    "saved_query": (SavedQuery, lambda query: {_tenant_of(query.database)}),
}


def find(kind: str, wanted: Identifier) -> Any | None:
    """The thing of a kind with this number, UUID or slug, if it exists."""
    model, _ = _OWNERS[kind]
    with db.session.no_autoflush:
        if isinstance(wanted, int):
            return db.session.get(model, wanted) if wanted < 2**31 else None
        if isinstance(wanted, uuid.UUID) and hasattr(model, "uuid"):
            return db.session.query(model).filter_by(uuid=wanted).one_or_none()
        if isinstance(wanted, str) and hasattr(model, "slug"):
            return db.session.query(model).filter_by(slug=wanted).one_or_none()
    return None


def owners_of(kind: str, thing: Any) -> Tenants:
    """The tenants that a thing of this kind belongs to."""
    return _OWNERS[kind][1](thing)
