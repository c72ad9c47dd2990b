"""A refusal reaches its reader with the reason.

Superset answers some refusals with status 500 and "unknown reason", and some errors of its metadata with the text of PostgreSQL.
What is remembered here while a request runs takes the place of such an answer.
"""

from functools import wraps
from typing import Any

import psycopg2.errors
from flask import Flask, Response, g, has_app_context, jsonify
from marshmallow import ValidationError
from sqlalchemy import event
from werkzeug.exceptions import BadRequest, HTTPException
from yaml import YAMLError

#: What PostgreSQL's refusals mean to people: it keeps the metadata of tenants apart.
_OF_METADATA = (
    (psycopg2.errors.UniqueViolation, 422, "Something with this name, slug or identifier exists already. Choose another one."),
    (psycopg2.errors.ForeignKeyViolation, 422, "Something that this refers to does not exist, or is not your account's."),
    (psycopg2.errors.InsufficientPrivilege, 403, "This is the platform's, not your account's to read or change."),
)


def refused(reason: str) -> BadRequest:
    """The error to raise. Of all errors, Superset's API shows only this kind with its text."""
    _remember(400, reason)
    return BadRequest(reason)


def answer_with_reason(app: Flask) -> None:
    """Looks at each answer from now on, at refusals of the metadata, and at imports."""
    from superset import db

    app.after_request(_with_reason)
    with app.app_context():
        event.listen(db.engine, "handle_error", _notice_metadata)
    _notice_refused_imports()


def _remember(status: int, reason: str) -> None:
    if has_app_context():
        g._refusal = (status, reason)


def _with_reason(response: Response) -> Response:
    status, reason = g.get("_refusal", (0, ""))
    if not status or response.status_code < 400 or (status == 400 and response.status_code < 500):
        return response
    answer = jsonify({"message": reason, "errors": [{"message": reason, "error_type": "TENANCY", "level": "error"}]})
    answer.status_code = status
    return answer


def _notice_metadata(context: Any) -> None:
    for kind, status, reason in _OF_METADATA:
        if isinstance(context.original_exception, kind):
            _remember(status, reason)


def _notice_refused_imports() -> None:
    """Superset says of each import that fails that the reason is unknown."""
    from superset.commands.importers.v1 import ImportModelsCommand

    original = ImportModelsCommand.run
    if hasattr(original, "_says_why"):
        return

    @wraps(original)
    def run(self: Any) -> None:
        try:
            original(self)
        except Exception as error:
            if not g.get("_refusal") and (reason := _reason(error)):
                _remember(400, reason)
            raise

    run._says_why = True  # type: ignore[attr-defined]
    ImportModelsCommand.run = run


def _reason(error: BaseException | None) -> str:
    """The reason in the chain of errors, if it was a refusal."""
    from superset.commands.exceptions import ImportFailedError
    from superset.exceptions import SupersetSecurityException

    reason = ""
    # The innermost says most: Superset wraps each in one without a reason.
    while error is not None:
        if isinstance(error, HTTPException):
            reason = str(error.description)
        elif isinstance(error, YAMLError):
            reason = "The file is not plain YAML: tags are not read."
        elif isinstance(error, ImportFailedError | SupersetSecurityException | ValidationError):
            reason = f"The import was refused: {error}"
        error = error.__cause__ or error.__context__
    return reason
