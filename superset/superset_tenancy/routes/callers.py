"""Which kinds of caller a request comes from, by the roles of its user.

The roles decide, never a name. A tenant's user is what the tenant's roles say; with roles of several tenants, or none, the user
is unassigned. An operator with the role Admin who also has a role of exactly one tenant may use the routes of both: Admin may
give itself that role at any time, and the data are that one tenant's.
"""

from typing import Any

from flask import current_app, request
from flask_jwt_extended import decode_token
from flask_login import current_user
from superset import security_manager

from superset_tenancy import names


def callers_of_request() -> list[frozenset[str]]:
    """Who asks: the session's user or guest, and the user of a bearer token if there is one. Each must be allowed."""
    asking = [kinds_of(current_user)] if current_user.is_authenticated else []
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        # Raises as Superset does for a token that is not valid. Leaves nothing in the request that a page would take for a user.
        user = security_manager.user_of_token(decode_token(token))
        asking.append(kinds_of(user) if user else frozenset({"anonymous"}))
    return asking or [frozenset({"anonymous"})]


def kinds_of(user: Any) -> frozenset[str]:
    """The kinds of caller that a signed-in user is: one, but for an operator with a tenant's role."""
    if getattr(user, "is_guest_user", False):
        return frozenset({"guest"})
    roles = [role.name for role in security_manager.get_user_roles(user)]
    kinds = {"platform"} if current_app.config["AUTH_ROLE_ADMIN"] in roles else set()
    of_tenants = [(tenant, role) for role in roles if (tenant := names.tenant_of_role(role))]
    if len({tenant for tenant, _ in of_tenants}) == 1:
        kinds |= {role.rpartition(":")[2] for _, role in of_tenants}
    return frozenset(kinds or {"unassigned"})
