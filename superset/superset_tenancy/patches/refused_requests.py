"""An API answers with the refusal that a command met, not with an error of the server.

Superset 6.1.0 wraps refusals in errors of the command that met them, or lets them through where an API does not expect them; its
APIs then answer 500 "Fatal error". The cause is known: somebody may not see it, it is not there, or a value has a wrong form.
"""

import sys
from collections.abc import Iterator
from functools import wraps

from flask import Response
from flask_appbuilder.api import BaseApi
from sqlalchemy.exc import DataError, StatementError
from superset.exceptions import SupersetErrorException, SupersetException
from superset.key_value.exceptions import KeyValueParseKeyError

from superset_tenancy.refusal import TenancyRefusal

_PATCHED = "_answers_refusals"


def apply() -> None:
    original = BaseApi.response_500
    if getattr(original, _PATCHED, False):
        return

    @wraps(original)
    def answer_refusal(self: BaseApi, message: str | None = None) -> Response:
        for error in _causes(sys.exc_info()[1]):
            if refusal := _refusal(error):
                status, reason = refusal
                return self.response(status, message=reason)
        return original(self, message)

    setattr(answer_refusal, _PATCHED, True)
    BaseApi.response_500 = answer_refusal


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _refusal(error: BaseException) -> tuple[int, str] | None:
    if isinstance(error, KeyValueParseKeyError):
        return 404, "Not found"
    if isinstance(error, DataError) or (isinstance(error, StatementError) and isinstance(error.orig, ValueError)):
        return 400, "A value in the request has the wrong form: numbers and UUIDs name objects."
    if isinstance(error, SupersetErrorException | SupersetException | TenancyRefusal) and 400 <= error.status < 500:
        return error.status, str(error)
    return None
