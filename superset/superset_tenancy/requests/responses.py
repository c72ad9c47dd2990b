"""What browsers and proxies may keep of an answer: static files only."""

from flask import Flask, Response, request


def forbid_keeping(app: Flask) -> None:
    """Marks each answer of the application."""
    app.after_request(_mark)


def _mark(response: Response) -> Response:
    if request.endpoint == "static" or (request.endpoint or "").endswith(".static"):
        return response
    response.cache_control.clear()
    response.cache_control.private = True
    response.cache_control.no_store = True
    for header in ("Expires", "Pragma", "Last-Modified"):
        response.headers.pop(header, None)
    return response
