"""What a tenant's user saves refers to nothing of another tenant, and what is typed into SQL Lab is a query.

Superset asks whether a user may see a dataset, but not when a chart is made of it; nor does it ask whose roles and owners a
dashboard is given. This looks at every chart, dataset and dashboard just before it is written, whichever way it came. SQL Lab
writes down what was typed before it does anything else: refused here, it is refused with the reason.
"""

from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import event, inspect
from superset import db, security_manager
from superset.connectors.sqla.models import SqlaTable
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice
from superset.models.sql_lab import Query
from werkzeug.exceptions import BadRequest

from superset_tenancy import names
from superset_tenancy.identity import acting_user, tenant_of_database, tenants_of
from superset_tenancy.provisioning.records import uuids_of_copies
from superset_tenancy.sql_wall import refuse_other_than_queries


def guard_content(app: Flask) -> None:
    """Looks at what is saved from now on."""
    with app.app_context():
        event.listen(db.session, "before_flush", _refuse_foreign)
        event.listen(Query, "before_insert", _refuse_statement)


def _refuse_foreign(session: Any, _context: Any, _instances: Any) -> None:
    content = [thing for thing in (*session.new, *session.dirty) if isinstance(thing, (Slice, SqlaTable, Dashboard))]
    user = acting_user() if content else None
    tenants = tenants_of(user) if user else set()
    if not tenants:
        return
    for thing in content:
        _refuse_reserved_uuid(thing, tenants)
        if not _tenants_of_content(thing) <= tenants:
            # Of all errors, Superset's API shows only this kind with its text.
            raise BadRequest("This would refer to something that does not belong to your account.")


def _refuse_reserved_uuid(thing: Slice | SqlaTable | Dashboard, tenants: set[str]) -> None:
    """UUIDs of version 5 are those of shared content: nobody takes the one that another tenant's copy will have."""
    if not thing.uuid or not inspect(thing).attrs.uuid.history.has_changes():
        return
    chosen = UUID(str(thing.uuid))
    if chosen.version != 5 or chosen in {uuid for tenant in tenants for uuid in uuids_of_copies(tenant)}:
        return
    raise BadRequest(
        f"The UUID {chosen} is of version 5. Those are reserved for shared content."
        " Leave the UUID out, or choose one of version 4."
    )


def _refuse_statement(_mapper: Any, _connection: Any, query: Query) -> None:
    refuse_other_than_queries(query.sql or "", security_manager=security_manager)


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
