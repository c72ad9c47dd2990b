"""The embedded page leaves a visitor's sign-in alone.

Superset 6.1.0 signs an anonymous user in, in the visitor's session, to build the page.
"""

from typing import Any

from flask import current_app
from superset.embedded import view


def keep_visitors_signed_in() -> None:
    view.login_user = _for_this_request


def _for_this_request(user: Any, **_options: Any) -> None:
    current_app.login_manager._update_request_context_with_user(user)
