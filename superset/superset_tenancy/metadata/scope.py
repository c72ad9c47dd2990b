"""Whose metadata a transaction may see: a tenant's, the platform's, or nobody's.

Read from the roles of whoever asks, or said by what runs outside of a request. Without a user, and without exactly one tenant,
it is a scope in which no row of a tenant is visible.
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import g, has_app_context, has_request_context
from sqlalchemy import inspect
from werkzeug.local import LocalProxy

from superset_tenancy import names

#: Before the sign-in: users and roles, to sign in.
NOBODY = "@nobody"
#: Somebody without exactly one tenant, with a colon and the number of the user behind it.
NO_TENANT = "@none"
#: The platform's administrator, and tasks about all tenants.
PLATFORM = "*"

_VALID = re.compile(rf"\*|@nobody|@none(:[0-9]{{1,18}})?|{names.TENANT_ID}")
_said: ContextVar[str | None] = ContextVar("_said", default=None)

_ROLES = """
SELECT r.name FROM public.ab_role r JOIN public.ab_user_role h ON h.role_id = r.id WHERE h.user_id = %(user)s
UNION
SELECT r.name FROM public.ab_role r JOIN public.ab_group_role h ON h.role_id = r.id
  JOIN public.ab_user_group m ON m.group_id = h.group_id WHERE m.user_id = %(user)s
"""
_DASHBOARDS = {
    "uuid": "SELECT tenant FROM public.embedded_dashboards WHERE uuid = %s::uuid",
    "number": "SELECT tenant FROM public.dashboards WHERE id = %s::int",
    "slug": "SELECT tenant FROM public.dashboards WHERE slug = %s",
}


@contextmanager
def as_scope(scope: str) -> Iterator[None]:
    """What runs within is about one tenant, or about the platform, whoever asks."""
    token = _said.set(valid(scope))
    try:
        yield
    finally:
        _said.reset(token)


def say(scope: str) -> Any:
    """As `as_scope`, where beginning and end are two functions: gives what `unsay` takes."""
    return _said.set(valid(scope))


def unsay(token: Any) -> None:
    _said.reset(token)


def said_scope() -> str | None:
    """What was said, if anything was."""
    return _said.get()


def valid(scope: str) -> str:
    """The scope, which goes into the text of a statement; raises if it is none."""
    if not _VALID.fullmatch(scope):
        raise ValueError(f"{scope!r} is no scope of metadata: a tenant's id, {PLATFORM}, {NOBODY} or {NO_TENANT}:<user>")
    return scope


def scope_of_caller(dbapi: Any, forget: Callable[[], None]) -> str:
    """The scope of the request or the task; `forget` is called when the connection is used to find out."""
    # In a request, nothing but its user counts.
    if (scope := _said.get()) is not None and not has_request_context():
        return scope
    user = _user()
    if user is None:
        return NOBODY
    known, scope = g.get("_metadata_scope", (None, NOBODY))
    if known is not user:
        forget()
        scope = _of_guest(dbapi, user) if getattr(user, "is_guest_user", False) else _of_user(dbapi, user)
        g._metadata_scope = (user, scope)
    return scope


def prefix(scope: str) -> str:
    """Statements that make the rest of the transaction the scope's."""
    if valid(scope) == PLATFORM:
        return "SET LOCAL ROLE superset_platform; SET LOCAL tenancy.tenant = ''; "
    return f"SET LOCAL ROLE none; SET LOCAL tenancy.tenant = '{scope}'; "


def _user() -> Any | None:
    if not has_app_context():
        return None
    user = g.get("user")
    if isinstance(user, LocalProxy):
        # Flask-Login's: it is not asked to load the user here, since that reads metadata.
        user = g.get("_login_user")
    return None if user is None or user.is_anonymous else user


def _of_user(dbapi: Any, user: Any) -> str:
    # An attribute may have expired, and would be read again.
    (number,) = inspect(user).identity or (user.id,)
    with dbapi.cursor() as cursor:
        cursor.execute(prefix(NOBODY) + _ROLES, {"user": number})
        roles = [row[0] for row in cursor.fetchall()]
    tenants = {tenant for tenant in map(names.tenant_of_role, roles) if tenant}
    if len(tenants) == 1:
        return tenants.pop()
    return PLATFORM if not tenants and "Admin" in roles else f"{NO_TENANT}:{number}"


def _of_guest(dbapi: Any, guest: Any) -> str:
    """The tenant of the dashboards that the token was signed for."""
    tenants = set()
    with dbapi.cursor() as cursor:
        for resource in guest.resources:
            key = str(resource["id"])
            cursor.execute(prefix(PLATFORM) + _DASHBOARDS[_kind_of(key)], (key,))
            tenants |= {row[0] for row in cursor.fetchall()} or {None}
    tenant = tenants.pop() if len(tenants) == 1 else None
    return tenant or NO_TENANT


def _kind_of(key: str) -> str:
    if re.fullmatch(r"[0-9]{1,9}", key):
        return "number"
    try:
        uuid.UUID(key)
    except ValueError:
        return "slug"
    return "uuid"
