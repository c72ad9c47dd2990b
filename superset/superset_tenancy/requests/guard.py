"""Refuses a request that names what is not the caller's, before any route sees it.

People find what belongs to their tenant. Those who have dashboards only, viewers and guests, find the charts and datasets of
their dashboards.
"""

from functools import partial
from typing import Any

from flask import Flask, Response, request
from flask_jwt_extended import decode_token
from superset import security_manager
from superset.models.slice import Slice
from superset.utils.core import override_user
from werkzeug.exceptions import BadRequest, NotFound

from superset_tenancy import names
from superset_tenancy.answered import once
from superset_tenancy.identity import TenantUnresolved, acting_user, tenants_of
from superset_tenancy.refusals.answers import answer
from superset_tenancy.refusals.refusal import Refusal
from superset_tenancy.requests.dashboards import is_on_a_dashboard_of_the_caller
from superset_tenancy.requests.fields import IDENTIFIES, SCHEMAS, identifiers
from superset_tenancy.requests.named import named_in
from superset_tenancy.requests.ownership import find, owners_of

#: What it names is dropped from the log when it is not the tenant's.
_LOGGED_ONLY = {"Superset.log"}


def guard_requests(app: Flask) -> None:
    """Looks at each request from now on."""
    app.before_request(_refuse_foreign)


def _refuse_foreign() -> Response | None:
    user = acting_user() or _bearer()
    if user is None or request.endpoint is None or request.endpoint in _LOGGED_ONLY or request.endpoint.endswith("static"):
        return None
    with override_user(user):
        if security_manager.is_admin():
            return None
        try:
            tenants = tenants_of(user)
            for name, value in named_in(request):
                _refuse(user, tenants, name, value)
        except TenantUnresolved as refusal:
            return answer(Refusal(403, str(refusal)))
        except BadRequest as refusal:
            return answer(Refusal(400, str(refusal.description)))
        except NotFound as refusal:
            return answer(Refusal(404, str(refusal.description)))
    return None


def _bearer() -> Any | None:
    """Who a token of Superset's API is for: its routes find that out by themselves, later."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        return security_manager.user_of_token(decode_token(token.strip()))
    except Exception:
        return None


def _refuse(user: Any, tenants: set[str], name: str, value: Any) -> None:
    if name == "annotation_layer":
        raise BadRequest("Annotation layers are shared by all tenants and cannot be used. Use a chart or a formula as source.")
    if name in SCHEMAS:
        _refuse_schema(tenants, name, value)
    elif name in IDENTIFIES:
        for kind, identifier in identifiers(IDENTIFIES[name], value):
            # Kept for the request: what Superset then reads of them is here.
            thing = once(("found", kind, identifier), partial(find, kind, identifier))
            if thing is not None and not _is_own(user, tenants, kind, thing):
                raise NotFound(f"{name}: your account has no {kind.replace('_', ' ')} {identifier}.")


def _refuse_schema(tenants: set[str], name: str, value: Any) -> None:
    own = {names.schema_name(tenant) for tenant in tenants}
    for schema in value if isinstance(value, list) else [value]:
        if isinstance(schema, str) and names.is_schema_of_tenancy(schema.strip().strip('"').lower()) and schema not in own:
            raise NotFound(f"{name}: your account has no such schema.")


def _is_own(user: Any, tenants: set[str], kind: str, thing: Any) -> bool:
    owners = owners_of(kind, thing)
    if not owners or not owners <= tenants:
        return kind == "user" and thing.id == getattr(user, "id", None)
    return kind != "chart" or _may_use_charts(thing) or is_on_a_dashboard_of_the_caller(thing)


def _may_use_charts(chart: Slice) -> bool:
    """Whoever may query the data may see each question that is asked of them."""
    may_query = chart.datasource is not None and security_manager.can_access_database(chart.datasource.database)
    return may_query or security_manager.is_owner(chart)
