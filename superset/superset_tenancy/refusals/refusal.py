"""The errors that a user sees when tenancy says no."""

from contextvars import ContextVar
from typing import Any, NamedTuple

from flask import has_request_context
from superset.errors import ErrorLevel, SupersetError, SupersetErrorType
from superset.exceptions import SupersetSecurityException
from werkzeug.exceptions import BadRequest


class Refusal(NamedTuple):
    """What the caller is answered."""

    status: int
    reason: str
    #: Whether Superset's own refusal, not only its error, says less than this one.
    says_more: bool = False


#: The last refusal of a request. Not in g, and not in the request: SQL Lab runs a query in contexts of its own within them.
_last: ContextVar[Refusal | None] = ContextVar("_last", default=None)


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
        _last.set(refusal)


def remembered() -> Refusal | None:
    return _last.get()


def forget(*_: Any, **__: Any) -> None:
    """At the beginning of a request: a thread has answered others before."""
    _last.set(None)
