"""What a tenant's user saves refers to nothing of another tenant.

Superset asks whether a user may see a dataset, but not when a chart is made of it; nor does it ask whose roles and owners a
dashboard is given. This looks at every chart, dataset and dashboard just before it is written, whichever way it came.
"""

from typing import Any

from flask import Flask
from sqlalchemy import event
from superset import db
from superset.connectors.sqla.models import SqlaTable
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice
from werkzeug.exceptions import BadRequest

from superset_tenancy import names
from superset_tenancy.identity import acting_user, tenant_of_database, tenants_of


def guard_content(app: Flask) -> None:
    """Looks at what is saved from now on."""
    with app.app_context():
        event.listen(db.session, "before_flush", _refuse_foreign)


def _refuse_foreign(session: Any, _context: Any, _instances: Any) -> None:
    content = [thing for thing in (*session.new, *session.dirty) if isinstance(thing, (Slice, SqlaTable, Dashboard))]
    user = acting_user() if content else None
    tenants = tenants_of(user) if user else set()
    if not tenants:
        return
    for thing in content:
        if not _tenants_of_content(thing) <= tenants:
            # Of all errors, Superset's API shows only this kind with its text.
            raise BadRequest("This would refer to something that does not belong to your account.")


def _tenants_of_content(thing: Slice | SqlaTable | Dashboard) -> set[str | None]:
    if isinstance(thing, SqlaTable):
        return {tenant_of_database(thing.database)} if thing.database else set()
    tenants = set().union(*(tenants_of(owner) for owner in thing.owners))
    if isinstance(thing, Slice):
        return tenants | _tenants_of_dataset(thing.datasource_id)
    tenants |= {names.tenant_of_role(role.name) for role in thing.roles}
    return tenants.union(*(_tenants_of_dataset(chart.datasource_id) for chart in thing.slices))


def _tenants_of_dataset(dataset: int | None) -> set[str | None]:
    found = db.session.get(SqlaTable, dataset) if dataset else None
    return {tenant_of_database(found.database)} if found else set()
