"""Whose share a request is counted to, without work for Superset if the caller was here before.

What Superset has once authenticated, a session, a token or a guest's token, is remembered by its hash for a minute here, and for
ten in Valkey for the other processes. It decides about load, never about access: Superset authenticates each request as ever.
"""

import hashlib
import io
import logging
import threading
from collections.abc import Callable
from typing import Any

from cachetools import TTLCache
from flask import Flask, g
from redis import Redis, RedisError
from werkzeug.http import parse_cookie

logger = logging.getLogger(__name__)

ANONYMOUS = "anonymous"
PLATFORM = "platform"

_SHARED_SECONDS = 600


def group_of_tenant(tenant: str) -> str:
    return f"tenant:{tenant}"


def tenant_of_group(group: str) -> str | None:
    kind, _, tenant = group.partition(":")
    return tenant if kind == "tenant" and tenant else None


class Callers:
    """Groups of callers, by what they show to be let in."""

    def __init__(self, app: Flask, shared: Redis, authenticate: Callable[[], str] | None = None) -> None:
        self._app = app
        self._shared = shared
        self._authenticate = authenticate or group_of_request
        self._known: TTLCache[str, str] = TTLCache(maxsize=10_000, ttl=60)
        self._lock = threading.Lock()

    def credential(self, environ: dict[str, Any]) -> str | None:
        """A hash of all that the caller shows, or None if that is nothing."""
        header = "HTTP_" + self._app.config["GUEST_TOKEN_HEADER_NAME"].upper().replace("-", "_")
        session = parse_cookie(environ).get(self._app.config["SESSION_COOKIE_NAME"], "")
        shown = [session, environ.get("HTTP_AUTHORIZATION", ""), environ.get(header, "")]
        return hashlib.sha256("\0".join(shown).encode()).hexdigest() if any(shown) else None

    def known(self, credential: str) -> str | None:
        """The group, if somebody has authenticated the credential lately."""
        with self._lock:
            group = self._known.get(credential)
        if group is None:
            try:
                found = self._shared.get(self._key(credential))
            except RedisError as error:
                logger.warning("callers of other processes are not known at the moment: %s", error)
                return None
            if found is None:
                return None
            group = found.decode()
            with self._lock:
                self._known[credential] = group
        return group

    def authenticate(self, environ: dict[str, Any], credential: str) -> str:
        """The group as Superset authenticates the caller. Takes some milliseconds, in a session of metadata that ends here."""
        # Superset looks for a guest's token in the form, too: the body is left for the request itself.
        without_body = {**environ, "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0"}
        with self._app.request_context(without_body):
            group = self._authenticate()
        if group != ANONYMOUS:
            with self._lock:
                self._known[credential] = group
            try:
                self._shared.set(self._key(credential), group, ex=_SHARED_SECONDS)
            except RedisError:
                pass
        return group

    @staticmethod
    def _key(credential: str) -> str:
        return f"tenancy_caller_{credential}"


def group_of_request() -> str:
    """Of the caller of the present request."""
    from flask_jwt_extended import get_current_user, verify_jwt_in_request
    from flask_login import current_user

    from superset_tenancy.identity import tenants_of
    from superset_tenancy.refusals.refusal import TenancyRefusal

    user = current_user._get_current_object()
    if not user.is_authenticated:
        try:
            user = get_current_user() if verify_jwt_in_request(optional=True) else None
        except Exception:  # What is wrong with a token is told by the route that wants one.
            user = None
    if user is None:
        return ANONYMOUS
    # Whose metadata are visible: a guest's dashboard is not, to nobody.
    g.user = user
    try:
        tenants = tenants_of(user)
    except TenancyRefusal:
        # A guest whose dashboard is gone; Superset's answer says so.
        return ANONYMOUS
    if not tenants:
        return PLATFORM
    return group_of_tenant(min(tenants))
