"""Whether a sign-in still holds.

A session and a token carry a fingerprint of what the user was when they were made: password, roles, groups and whether the
account is active. Whatever changes one of these, by any route or command, ends all sessions and tokens of the user, because the
fingerprint is computed anew at each request. Signing out ends those that were made before it.
"""

import hashlib
import hmac
from typing import Any

from flask import current_app

_SIGNED_OUT = "superset_signed_out_"
#: Microseconds of Valkey's clock, which all processes share.
_CLOCK = 1_000_000


def standing_of(user: Any) -> dict[str, Any]:
    """What a session or a token must carry, made for this user now."""
    return {"print": _fingerprint(user), "since": _now()}


def holds(standing: Any, user: Any) -> bool:
    """Whether a session or token with this standing is still good for the user."""
    if not isinstance(standing, dict) or not isinstance(standing.get("since"), int):
        return False
    if not hmac.compare_digest(str(standing.get("print")), _fingerprint(user)):
        return False
    signed_out = _store().get(_SIGNED_OUT + str(user.id))
    return signed_out is None or standing["since"] > int(signed_out)


def end_all(user: Any) -> None:
    """Ends all sessions and tokens of the user that were made until now."""
    lifetime = max(current_app.permanent_session_lifetime, current_app.config["JWT_REFRESH_TOKEN_EXPIRES"])
    _store().set(_SIGNED_OUT + str(user.id), _now(), ex=int(lifetime.total_seconds()) + 60)


def _fingerprint(user: Any) -> str:
    roles = sorted(role.name for role in user.roles)
    groups = sorted((group.name, sorted(role.name for role in group.roles)) for group in user.groups)
    state = repr((user.id, user.username, user.password, bool(user.is_active), roles, groups))
    return hmac.new(current_app.secret_key.encode(), state.encode(), hashlib.sha256).hexdigest()


def _now() -> int:
    seconds, microseconds = _store().time()
    return seconds * _CLOCK + microseconds


def _store() -> Any:
    return current_app.config["SESSION_REDIS"]
