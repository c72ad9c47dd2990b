"""The error that a user sees when tenancy says no."""

from contextvars import ContextVar
from typing import Any

from flask import Flask, Response, has_request_context, jsonify, request_started
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from werkzeug.exceptions import BadRequest

#: The last refusal of a request. Not in `g`: SQL Lab runs a query in a context within that of the request.
_last: ContextVar["TenancyRefusal | None"] = ContextVar("_last", default=None)


class TenancyRefusal(SupersetSecurityException, BadRequest):
    """Status 403, with the reason in words; or 400, where Superset's API shows the text of no other kind of error."""

    def __init__(self, message: str) -> None:
        super().__init__(
            SupersetError(
                message=message,
                error_type=SupersetErrorType.DATABASE_SECURITY_ACCESS_ERROR,
                level=ErrorLevel.ERROR,
            )
        )
        self.description = message
        if has_request_context():
            _last.set(self)

    def __str__(self) -> str:
        return self.error.message


def show_refusals(app: Flask) -> None:
    """A refusal that Superset has made an unexpected error of reaches the user as what it is."""
    request_started.connect(_forget, app)
    app.after_request(_refusal_instead_of_500)


def _forget(_app: Flask, **_: Any) -> None:
    _last.set(None)


def _refusal_instead_of_500(response: Response) -> Response:
    refusal = _last.get()
    if refusal is None or response.status_code < 500:
        return response
    shown = jsonify(message=str(refusal), errors=[refusal.to_dict()])
    shown.status_code = refusal.status
    return shown
