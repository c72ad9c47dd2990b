"""Puts the rules of signing in into place."""

from flask import Flask

from superset_tenancy.sign_in.embedded_page import keep_visitors_signed_in
from superset_tenancy.sign_in.gate import guard_requests
from superset_tenancy.sign_in.own_password import guard_passwords
from superset_tenancy.sign_in.profile_page import lead_to_password_form
from superset_tenancy.sign_in.sessions import keep_sessions


def install_sign_in(app: Flask) -> None:
    keep_sessions(app)
    guard_requests(app)
    guard_passwords(app)
    keep_visitors_signed_in()
    lead_to_password_form(app)
