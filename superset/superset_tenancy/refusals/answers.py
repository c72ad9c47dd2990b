"""A refusal is answered as what it is, with its reason, where Superset answers with an error of the server.

Tested on Superset 6.1.0. An error is on its way to such an answer at two places: where Flask looks for a handler, and where an
API gives up. Both read it first; one hook looks at all answers.
"""

import sys
from collections.abc import Iterable
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, jsonify, request_started
from flask_appbuilder.api import BaseApi
from sqlalchemy import event
from superset.errors import SupersetError
from superset.exceptions import SupersetErrorsException

from superset_tenancy.refusals.reasons import OF_METADATA, reason_of
from superset_tenancy.refusals.refusal import Refusal, forget, remember, remembered

_PATCHED = "_reads_errors"


def answer_refusals(app: Flask) -> None:
    """Looks at each answer from now on."""
    from superset import db

    _read_errors_of_views(app)
    _read_errors_of_apis()
    with app.app_context():
        event.listen(db.engine, "handle_error", _notice_metadata)
    request_started.connect(forget, app)
    app.after_request(_with_reason)


def answer(refusal: Refusal) -> Response:
    """The refusal in JSON, as Superset's pages read it."""
    error = {"message": refusal.reason, "error_type": "TENANCY", "level": "error", "extra": {}}
    response = jsonify(message=refusal.reason, errors=[error])
    response.status_code = refusal.status
    return response


def _with_reason(response: Response) -> Response:
    refusal = remembered()
    if refusal is None or response.status_code < (400 if refusal.says_more else 500):
        return response
    return answer(refusal)


def _read(error: BaseException | None) -> None:
    if refusal := reason_of(error):
        remember(refusal)


def _read_errors_of_views(app: Flask) -> None:
    original = app.handle_user_exception

    @wraps(original)
    def handle(error: Exception) -> Any:
        _read(error)
        if isinstance(error, SupersetErrorsException) and _are_of_a_statement(error.errors):
            error.status = HTTPStatus.BAD_REQUEST
        return original(error)

    app.handle_user_exception = handle  # type: ignore[method-assign]


def _are_of_a_statement(errors: Iterable[SupersetError]) -> bool:
    """Whether PostgreSQL has refused a statement of SQL Lab. Superset 6.1.0 answers 400 to that for charts only."""
    return all("engine_name" in (error.extra or {}) and not error.error_type.startswith("CONNECTION_") for error in errors)


def _read_errors_of_apis() -> None:
    original = BaseApi.response_500
    if getattr(original, _PATCHED, False):
        return

    @wraps(original)
    def give_up(self: BaseApi, message: str | None = None) -> Response:
        _read(sys.exc_info()[1])
        return original(self, message)

    setattr(give_up, _PATCHED, True)
    BaseApi.response_500 = give_up


def _notice_metadata(context: Any) -> None:
    if refusal := OF_METADATA.get(type(context.original_exception)):
        remember(refusal)
