"""Whom and which roles a tenant's user finds in the lists to choose from: those of the own tenant."""

from sqlalchemy.orm import Query
from superset import security_manager

from superset_tenancy import names
from superset_tenancy.identity import acting_user, tenants_of


def _own_roles() -> list[str] | None:
    """Names of the own tenant's roles, or None for the platform's administrators, who see all."""
    user = acting_user()
    if user and security_manager.is_admin():
        return None
    tenants = tenants_of(user) if user else set()
    return [names.role_name(tenant, capability) for tenant in tenants for capability in names.CAPABILITIES]


def own_users(query: Query) -> Query:
    """EXTRA_RELATED_QUERY_FILTERS for users."""
    roles = _own_roles()
    role = security_manager.role_model
    return query if roles is None else query.filter(security_manager.user_model.roles.any(role.name.in_(roles)))


def own_roles(query: Query) -> Query:
    """EXTRA_RELATED_QUERY_FILTERS for roles."""
    roles = _own_roles()
    return query if roles is None else query.filter(security_manager.role_model.name.in_(roles))
