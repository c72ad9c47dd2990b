"""A user's own password changes only after the present one was given, whichever route changes it."""

from typing import Any

from flask import g, has_request_context
from sqlalchemy import event, inspect
from werkzeug.exceptions import BadRequest
from werkzeug.security import check_password_hash

from superset_tenancy.sign_in import attempts
from superset_tenancy.sign_in.refusals import waiting

ASK_FOR_OLD = (
    "To change your password, send current_password with your present password beside the new one,"
    " or use the page /resetmypassword/form."
)


def problem_with_present(password: str | None) -> str | None:
    """Why this does not prove who is asking, or None. Wrong passwords count as attempts to sign in."""
    if wait := attempts.seconds_to_wait(g.user.username):
        return waiting(wait)
    right = bool(password) and check_password_hash(g.user.password, password)
    attempts.note(g.user.username, right)
    g._own_password_verified = right
    return None if right else "This is not your present password."


def guard_passwords(app: Any) -> None:
    """The user's own password changes only after the old one was given, whichever route changes it."""
    from superset import security_manager
    from superset.views.users.api import CurrentUserRestApi

    from superset_tenancy.sign_in.own_password_schema import OwnPasswordSchema

    CurrentUserRestApi.current_user_put_schema = OwnPasswordSchema()
    if not event.contains(security_manager.user_model, "before_update", _refuse_unverified):
        event.listen(security_manager.user_model, "before_update", _refuse_unverified)


def _refuse_unverified(_mapper: Any, _connection: Any, user: Any) -> None:
    if not has_request_context() or not inspect(user).attrs.password.history.has_changes():
        return
    acting = getattr(g, "user", None)
    if acting is not None and getattr(acting, "id", None) == user.id and not g.get("_own_password_verified"):
        raise BadRequest(ASK_FOR_OLD)
