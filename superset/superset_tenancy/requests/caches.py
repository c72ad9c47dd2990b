"""Superset's caches in Valkey, each key under the tenant of the caller.

Superset composes most keys from what was asked, not from who asked. The prefix is added where keys meet the server, so it covers
functions and keys that a later Superset brings. Without a user, or without exactly one tenant, nothing is kept.
"""

import hashlib
import json
import uuid
from typing import Any

from cachelib.redis import RedisCache
from flask_caching.backends import RedisCache as FlaskRedisCache
from werkzeug.wrappers import Response

from superset_tenancy.identity import TenantUnresolved, acting_user, tenants_of


def cache_scope() -> str | None:
    """Who shares what is kept: a tenant, its guests with the same rights, or a platform administrator; None for nobody."""
    from superset import security_manager

    user = acting_user()
    if user is None:
        return None
    try:
        tenants = tenants_of(user)
    except TenantUnresolved:
        return None
    is_guest = getattr(user, "is_guest_user", False)
    if len(tenants) == 1:
        tenant = next(iter(tenants))
        return f"tenant:{tenant}:guest:{_rights_of(user)}" if is_guest else f"tenant:{tenant}"
    return None if tenants or is_guest or not security_manager.is_admin() else f"platform:{user.id}"


def _rights_of(guest: Any) -> str:
    """Guests share what is kept only if their tokens open the same dashboards with the same row filters."""
    rights = json.dumps([guest.resources, guest.rls], sort_keys=True, default=str)
    return hashlib.sha256(rights.encode()).hexdigest()


class _KeptPerTenant:
    """Laid over a cache of cachelib."""

    key_prefix: str

    def _get_prefix(self) -> str:
        return f"{self.key_prefix}{cache_scope() or f'nobody:{uuid.uuid4()}'}:"

    def set(self, key: str, value: Any, timeout: int | None = None) -> Any:
        return self._may_be_kept(value) and super().set(key, value, timeout)  # type: ignore[misc]

    def add(self, key: str, value: Any, timeout: int | None = None) -> Any:
        return self._may_be_kept(value) and super().add(key, value, timeout)  # type: ignore[misc]

    def set_many(self, mapping: dict[str, Any], timeout: int | None = None) -> Any:
        kept = {key: value for key, value in mapping.items() if self._may_be_kept(value)}
        return super().set_many(kept, timeout) if kept else []  # type: ignore[misc]

    def unlink(self, *keys: str) -> Any:
        return self.delete_many(*keys)  # type: ignore[attr-defined]

    @staticmethod
    def _may_be_kept(value: Any) -> bool:
        """A whole answer is never kept: it would be found before its permissions are asked for."""
        return not isinstance(value, Response) and cache_scope() is not None


class TenantCache(_KeptPerTenant, FlaskRedisCache):
    """CACHE_TYPE of each of Superset's caches."""


class TenantResults(_KeptPerTenant, RedisCache):
    """RESULTS_BACKEND."""
