"""Which tenant a request belongs to.

The tenant is read from the roles of the user object, never from a name that a caller can choose: a guest token may carry any
user name, so a guest belongs to the tenant of the dashboards that the token was signed for. No tenant, or more than one, raises
TenantUnresolved: callers must not catch it to go on.
"""

from typing import TYPE_CHECKING, Any

from flask import g, has_app_context
from superset import security_manager
from werkzeug.local import LocalProxy

from superset_tenancy import names
from superset_tenancy.refusals.refusal import TenancyRefusal

if TYPE_CHECKING:
    # Superset's settings name what is here before its models can be loaded.
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard


class TenantUnresolved(TenancyRefusal):
    """Whoever asks has no tenant, or several."""


def current_tenant() -> str:
    """The one tenant of whoever asks, in a request or in a Celery task."""
    user = acting_user()
    if user is None:
        raise TenantUnresolved("Nobody is signed in, so there is no tenant whose data could be read.")
    tenants = tenants_of(user)
    if len(tenants) != 1:
        whose = "no tenant" if not tenants else "several tenants (" + ", ".join(sorted(tenants)) + ")"
        raise TenantUnresolved(
            f"Your account belongs to {whose}, so no data can be read with it. "
            "An administrator can give it the role of one tenant."
        )
    return next(iter(tenants))


def acting_user() -> Any | None:
    """The user of the request or of the task, or None: at the command line, and before the sign-in."""
    user = getattr(g, "user", None) if has_app_context() else None
    if isinstance(user, LocalProxy):
        # Flask-Login's knows nobody once the request is over, while its answer still streams.
        user = g.get("_login_user") or user._get_current_object()
    return None if user is None or user.is_anonymous else user


def tenants_of(user: Any) -> set[str]:
    """The tenants of a user: more than one only by mistake. Whoever asks is looked up once a request."""
    if user is not acting_user():
        return _tenants_of(user)
    known, tenants = g.get("_tenants", (None, None))
    if known is not user:
        tenants = _tenants_of(user)
        g._tenants = (user, tenants)
    return tenants


def _tenants_of(user: Any) -> set[str]:
    if getattr(user, "is_guest_user", False):
        return _tenants_of_guest(user)
    names_of_roles = [role.name for role in security_manager.get_user_roles(user) if role]
    return {tenant for tenant in map(names.tenant_of_role, names_of_roles) if tenant}


def tenant_of_database(database: "Database") -> str | None:
    """The tenant whose Database object it is, or None."""
    return names.tenant_of_database(database.sqlalchemy_uri or "", database.uuid)


def _tenants_of_guest(user: Any) -> set[str]:
    from superset_tenancy.requests.ownership import tenants_of_dashboard

    tenants: set[str] = set()
    for resource in user.resources:
        dashboard = _dashboard_of(resource)
        of_dashboard = tenants_of_dashboard(dashboard) if dashboard else set()
        if None in of_dashboard or not of_dashboard:
            raise TenantUnresolved("This guest's dashboard does not belong to a tenant, so no data can be read for it.")
        tenants |= of_dashboard
    return tenants


def _dashboard_of(resource: dict[str, Any]) -> "Dashboard | None":
    from superset.daos.dashboard import EmbeddedDashboardDAO
    from superset.models.dashboard import Dashboard

    embedded = EmbeddedDashboardDAO.find_by_id(str(resource["id"]))
    return embedded.dashboard if embedded else Dashboard.get(str(resource["id"]))
