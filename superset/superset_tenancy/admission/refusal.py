"""The answer to a request for which there is no room, or which is too large."""

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from flask import Response
from markupsafe import escape

from superset_tenancy.admission.recycling import REFUSED

#: Seconds after which it makes sense to try again.
RETRY_AFTER = 2

MESSAGE = "Your organisation has too many requests running here at the moment. Wait until some of them have ended, and try again."
NOT_SIGNED_IN = "Too many people are signing in at the moment. Try again in a moment."


def wants_page(environ: dict[str, Any]) -> bool:
    """A browser that opens an address, rather than a page's script or a program."""
    accepts = environ.get("HTTP_ACCEPT", "")
    return not environ.get("PATH_INFO", "").startswith("/api/") and "text/html" in accepts


def refuse(
    environ: dict[str, Any], start_response: Any, message: str, status: HTTPStatus = HTTPStatus.TOO_MANY_REQUESTS
) -> Iterable[bytes]:
    environ[REFUSED] = True
    if wants_page(environ):
        kind = "text/html; charset=utf-8"
        body = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Superset</title></head>'
            f"<body><h1>{status.phrase}</h1><p>{escape(message)}</p></body></html>"
        )
    else:
        kind = "application/json; charset=utf-8"
        error = {"message": message, "error_type": "GENERIC_BACKEND_ERROR", "level": "error", "extra": {}}
        body = json.dumps({"message": message, "errors": [error]})
    content = body.encode()
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
    ]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        headers.append(("Retry-After", str(RETRY_AFTER)))
    start_response(f"{status.value} {status.phrase}", headers)
    return [content]


def say_when(response: Response) -> Response:
    """A refusal of Superset's own, or of what it asks, says when to try again, too."""
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        response.headers.setdefault("Retry-After", str(RETRY_AFTER))
    return response
