"""People and guests as browsers: with a session instead of a token, so that pages know them, too."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from world import PASSWORD, all_metadata


class Browser:
    """Somebody with a session, or with headers, or neither."""

    def __init__(
        self, client: FlaskClient, username: str | None = None, headers: dict | None = None, password: str = PASSWORD
    ) -> None:
        self.client = client
        self.headers = headers or {}
        if username:
            answer = client.post("/login/", data={"username": username, "password": password})
            assert answer.status_code == 302 and "/login" not in answer.headers["Location"], answer.text

    def ask(self, method: str, path: str, **arguments: Any) -> TestResponse:
        return self.client.open(path, method=method, headers={**self.headers, **arguments.pop("headers", {})}, **arguments)

    def get(self, path: str, **arguments: Any) -> TestResponse:
        return self.ask("GET", path, **arguments)


def make_user(app: Flask, username: str, *roles: str, first_name: str = "N") -> Browser:
    """A new user with these roles, signed in."""
    from superset import security_manager

    with all_metadata(app):
        found = [security_manager.find_role(role) for role in roles]
        assert all(found), roles
        if not security_manager.find_user(username):
            added = security_manager.add_user(username, first_name, "N", f"{username}@example.com", found, PASSWORD)
            assert added, username
    return Browser(app.test_client(), username)
