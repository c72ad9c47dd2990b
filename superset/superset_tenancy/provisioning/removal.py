"""A tenant that is no longer in the environment file: nobody comes in any more, nothing is shown, and nothing is lost.

What was switched off is remembered, so that a tenant that returns finds all as it was, and whoever an operator had shut out
before stays out.
"""

from collections.abc import Iterator

from sqlalchemy.orm import selectinload
from superset import db, security_manager
from superset.connectors.sqla.models import SqlaTable
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from superset_tenancy import names
from superset_tenancy.provisioning.changes import Change, Note
from superset_tenancy.provisioning.databases import find_database, hide_database
from superset_tenancy.provisioning.records import Record
from superset_tenancy.provisioning.roles import empty_roles


def remove(tenant: str, record: Record) -> Iterator[Change | Note]:
    """Shuts the tenant's people out and hides what is theirs."""
    for user in _users(tenant):
        if others := sorted(role.name for role in user.roles if _is_of_others(role.name, tenant)):
            yield Note(f"user {user.username} has other roles, too ({', '.join(others)}), and stays active")
            continue
        user.active = False
        record.deactivated_users.append(user.id)
        yield Change(f"user {user.username}", "deactivated")
    for dashboard in _published_dashboards(tenant):
        dashboard.published = False
        record.unpublished_dashboards.append(dashboard.id)
        yield Change(f'dashboard "{dashboard.dashboard_title}"', "unpublished")
    yield from hide_database(tenant)
    yield from empty_roles(tenant)


def restore(record: Record) -> Iterator[Change]:
    """Switches on what a removal has switched off, now that the tenant is back."""
    user, dashboard = security_manager.user_model, Dashboard
    for found in db.session.query(user).filter(user.id.in_(record.deactivated_users), user.active.is_(False)):
        found.active = True
        yield Change(f"user {found.username}", "activated again")
    for found in db.session.query(dashboard).filter(dashboard.id.in_(record.unpublished_dashboards)):
        found.published = True
        yield Change(f'dashboard "{found.dashboard_title}"', "published again")
    record.deactivated_users, record.unpublished_dashboards = [], []


def _users(tenant: str) -> list:
    model, role = security_manager.user_model, security_manager.role_model
    of_tenant = [names.role_name(tenant, capability) for capability in names.CAPABILITIES]
    query = db.session.query(model).options(selectinload(model.roles))
    return query.filter(model.active.is_(True), model.roles.any(role.name.in_(of_tenant))).order_by(model.id).all()


def _is_of_others(role: str, tenant: str) -> bool:
    return role == "Admin" or names.tenant_of_role(role) not in (None, tenant)


def _published_dashboards(tenant: str) -> list[Dashboard]:
    """Those for the tenant's roles, and those with charts over its Database."""
    role = security_manager.role_model
    database = find_database(tenant)
    of_roles = Dashboard.roles.any(role.name.in_([names.role_name(tenant, capability) for capability in names.CAPABILITIES]))
    of_charts = Dashboard.slices.any(Slice.table.has(SqlaTable.database_id == database.id)) if database else False
    return db.session.query(Dashboard).filter(Dashboard.published.is_(True), of_roles | of_charts).order_by(Dashboard.id).all()
