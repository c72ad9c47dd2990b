"""Answers a request before any code of Superset does, unless its route is served to the caller.

A route that is withheld, or that the table does not know, answers 404 as a path that does not exist; so does a number that no
object can have. A route for other callers
answers 403 with the reason; without a user, 401 or the sign-in page.
"""

from typing import Any

from flask import Flask, Response, render_template_string, request
from superset.views.utils import redirect_to_login
from werkzeug.exceptions import NotFound

from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.routes.callers import callers_of_request
from superset_tenancy.routes.groups import EVERYONE, Group, Route
from superset_tenancy.routes.table import GROUP_OF

_PAGE = """<!doctype html>
<html lang="en"><head><title>Not available</title></head>
<body><h1>Not available</h1><p>{{ message }}</p>
<p><a href="/">Home</a> &middot; <a href="/logout/">Sign out</a></p></body></html>"""


def guard_routes(app: Flask) -> None:
    """Checks each request from now on, before all other hooks."""
    app.before_request_funcs.setdefault(None, []).insert(0, check_route)


def check_route() -> Response | None:
    """None if the request may go on, otherwise its answer."""
    if request.url_rule is None:
        # No such path or method, which Flask answers.
        return None
    method = "GET" if request.method == "HEAD" else request.method
    group = GROUP_OF.get(Route(method, request.url_rule.rule))
    if group is None or not group.callers or not _names_a_number(request.view_args):
        raise NotFound
    if group.callers == EVERYONE:
        return None
    asking = callers_of_request()
    if all(kinds & group.callers for kinds in asking):
        return None
    return _refuse(group, frozenset().union(*asking))


def _names_a_number(arguments: dict[str, Any] | None) -> bool:
    """Whether each number in the path is one that PostgreSQL has: Superset answers 500 to others."""
    numbers = [value for name, value in (arguments or {}).items() if name == "pk" or isinstance(value, int)]
    return all(str(number).isascii() and str(number).isdecimal() and int(number) < 2**31 for number in numbers)


def _refuse(group: Group, kinds: frozenset[str]) -> Response:
    is_page = request.method in ("GET", "HEAD") and not request.path.startswith("/api/")
    if "anonymous" in kinds:
        if is_page:
            return redirect_to_login()
        return Response('{"message": "Sign in first: this needs a user."}', 401, mimetype="application/json")
    message = _message(group, kinds)
    if is_page:
        return Response(render_template_string(_PAGE, message=message), 403)
    raise TenancyRefusal(message)


def _message(group: Group, kinds: frozenset[str]) -> str:
    if "unassigned" in kinds:
        return (
            "Your account does not belong to exactly one tenant, so only your account page is available. "
            "An administrator can give it the role of one tenant."
        )
    served = sorted(group.callers - {"unassigned"})
    return (
        f'"{group.name}" is available to: {", ".join(served)}. Your account is: {", ".join(sorted(kinds))}. '
        "Ask your administrator if you need it."
    )
