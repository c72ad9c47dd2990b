"""What is looked at before a request reaches its view: sign-in, sign-out, forged requests, the users' pages, embedding."""

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, redirect, request, url_for
from superset.extensions import csrf

from superset_tenancy.sign_in import attempts
from superset_tenancy.sign_in.refusals import answer_too_many, ask_before_sign_out, bad_request

_TAKE_PASSWORDS = {"AuthDBView.login", "SecurityApi.login"}


def guard_requests(app: Flask) -> None:
    """Flask-WTF's own check is replaced by the same check with one exemption more."""
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False
    for check in (_limit_attempts, _limit_refresh, _keep_signed_in, _refuse_forged, _show_users, _refuse_origins):
        app.before_request(check)


def _limit_attempts() -> Any:
    if request.method != "POST" or request.endpoint not in _TAKE_PASSWORDS:
        return None
    body = request.get_json(silent=True) if request.is_json else request.form
    username = body.get("username") if hasattr(body, "get") else None
    wait = attempts.seconds_to_wait(username) if isinstance(username, str) and username else 0
    return answer_too_many(wait) if wait else None


def _limit_refresh() -> Any:
    if request.endpoint != "SecurityApi.refresh":
        return None
    wait = attempts.seconds_to_wait_for_refresh()
    return answer_too_many(wait) if wait else None


def _keep_signed_in() -> Any:
    """Signs out only from a page of this site, not because another one shows a picture or a link."""
    if not (request.endpoint or "").endswith(".logout"):
        return None
    site, shown_as = request.headers.get("Sec-Fetch-Site"), request.headers.get("Sec-Fetch-Dest", "document")
    if site is None:
        own = urlsplit(request.referrer or "").netloc == request.host
    else:
        own = site in ("same-origin", "none") and shown_as == "document"
    return None if own else ask_before_sign_out()


def _refuse_forged() -> None:
    """A browser adds cookies by itself, but never a token: without a cookie, no other site can forge a request."""
    if not current_app.config["WTF_CSRF_ENABLED"]:
        return
    by_token = request.headers.get("Authorization", "").startswith("Bearer ")
    if not by_token or current_app.config["SESSION_COOKIE_NAME"] in request.cookies:
        csrf.protect(apply_exemptions=True)


def _show_users() -> Any:
    """The new page asks an API that is off, since it makes users and roles for all who reach it; the classic one works."""
    return redirect(url_for("UserDBModelView.list")) if request.endpoint == "UsersListView.list" else None


def _refuse_origins() -> Any:
    """Browsers do not show Superset in a page of another origin: whoever lists one should not have to find out."""
    if request.endpoint != "DashboardRestApi.set_embedded" or request.method not in ("POST", "PUT"):
        return None
    body = request.get_json(silent=True)
    domains = body.get("allowed_domains") if isinstance(body, dict) else None
    foreign = [text for text in domains if not _is_own(text)] if isinstance(domains, list) else []
    if not foreign:
        return None
    return bad_request(
        f"allowed_domains names {', '.join(map(str, foreign))}. Pages of other origins cannot embed dashboards:"
        f" browsers refuse it (frame-ancestors 'self'). Give [], or only https://{request.host}."
    )


def _is_own(domain: Any) -> bool:
    parts = urlsplit(domain if "://" in str(domain) else f"//{domain}")
    return parts.netloc == request.host
