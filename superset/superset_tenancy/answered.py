"""What has been found out for the present request, so that it is not found out again."""

from collections.abc import Callable, Hashable
from typing import TypeVar

from flask import has_request_context, request

Answer = TypeVar("Answer")

_ANSWERED = "superset_tenancy.answered"


def once(question: Hashable, find: Callable[[], Answer]) -> Answer:
    """What `find` answered to this question first in this request; outside of a request, it is asked each time."""
    if not has_request_context():
        return find()
    # Not in Flask's g, which a request shares with what has begun it.
    answered = request.environ.setdefault(_ANSWERED, {})
    if question not in answered:
        answered[question] = find()
    return answered[question]
