"""The part of the security manager that decides who is signed in."""

from typing import Any

from flask import current_app, g, has_request_context, session
from flask_jwt_extended import JWTManager
from flask_login import user_logged_in

from superset_tenancy.answered import once
from superset_tenancy.sign_in import attempts, forms
from superset_tenancy.sign_in.standing import end_all, holds, standing_of

_STANDING = "_standing"
ENDED = "This sign-in has ended. Sign in again to go on."


class SignInManager:
    """Goes in front of Superset's security manager."""

    resetmypasswordview = forms.ResetMyPasswordView
    resetpasswordview = forms.ResetPasswordView

    def create_jwt_manager(self, app: Any) -> JWTManager:
        manager = super().create_jwt_manager(app)
        manager.additional_claims_loader(self._claims)
        manager.user_lookup_error_loader(lambda _header, _claims: ({"message": ENDED}, 401))
        user_logged_in.connect(_begin_session)
        return manager

    def load_user(self, pk: Any) -> Any | None:
        """The user of the session, unless the session has ended."""
        user = super().load_user(pk)
        return user if user is not None and holds(session.get(_STANDING), user) else None

    def load_user_jwt(self, _header: Any, claims: dict[str, Any]) -> Any | None:
        """The user of the token, who is then the user of the request."""
        user = self.user_of_token(claims)
        if user is not None:
            g.user = user
        return user

    def user_of_token(self, claims: dict[str, Any]) -> Any | None:
        """The user of the token, unless the token has ended."""
        return once(("user of token", repr(claims)), lambda: self._user_of_token(claims))

    def auth_user_db(self, username: str | None, password: str | None) -> Any | None:
        """The user, if the password is right and not too many wrong ones came before it."""
        if not username or attempts.seconds_to_wait(username):
            return None
        user = super().auth_user_db(username, password)
        attempts.note(username, user is not None)
        return user

    def on_user_logout(self, user: Any) -> None:
        """Ends all sessions and tokens of the user, those of other browsers included."""
        end_all(user)
        if has_request_context():
            session.clear()
            current_app.session_interface.regenerate(session)

    def has_guest_access(self, dashboard: Any) -> bool:
        """A guest token is good as long as the dashboard is embedded."""
        return bool(dashboard.embedded) and super().has_guest_access(dashboard)

    def _user_of_token(self, claims: dict[str, Any]) -> Any | None:
        user = super().load_user(claims["sub"])
        return user if user is not None and holds(claims.get(_STANDING), user) else None

    def _claims(self, identity: str) -> dict[str, Any]:
        return {_STANDING: standing_of(super().load_user(identity))}


def _begin_session(_app: Any, user: Any) -> None:
    """Another session id than before the sign-in, so that nobody knows it who set one in advance."""
    if user.is_authenticated:
        current_app.session_interface.regenerate(session)
        session[_STANDING] = standing_of(user)
