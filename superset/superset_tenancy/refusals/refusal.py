"""The errors that a user sees when tenancy says no."""

from typing import NamedTuple

from flask import has_request_context, request
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from werkzeug.exceptions import BadRequest

_REMEMBERED = "tenancy.refusal"


class Refusal(NamedTuple):
    """What the caller is answered."""

    status: int
    reason: str
    #: Whether Superset's own refusal, not only its error, says less than this one.
    says_more: bool = False


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
        remember(Refusal(self.status, message))

    def __str__(self) -> str:
        return self.error.message


def refused(reason: str) -> BadRequest:
    """The error to raise for a request that asks for what it may not. Of all errors, Superset's API shows only this kind."""
    remember(Refusal(400, reason))
    return BadRequest(reason)


def remember(refusal: Refusal) -> None:
    """The last refusal of a request takes the place of an error of the server, should Superset answer with one."""
    if has_request_context():
        # Not in g: SQL Lab runs a query in a context of its own within the request's.
        request.environ[_REMEMBERED] = refusal


def remembered() -> Refusal | None:
    return request.environ.get(_REMEMBERED)
