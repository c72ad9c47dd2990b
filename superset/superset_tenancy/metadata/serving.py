"""Superset with its metadata under row-level security, or not at all."""

import os

from flask import Flask, Response
from superset import db

from superset_tenancy.metadata.listener import listen, login_of
from superset_tenancy.metadata.login import ONE_TENANT
from superset_tenancy.metadata.tasks import tell_tasks

_FOUND_SAFE = "tenancy_metadata_found_safe"


def is_for_one_tenant() -> bool:
    """Whether the metadata belong to one tenant, so that there is no other to hide."""
    return bool(os.environ.get(ONE_TENANT))


def keep_metadata_apart(app: Flask) -> None:
    """From now on each transaction has a scope, and no request is answered by a login that sees all."""
    if is_for_one_tenant():
        return
    listen(app)
    tell_tasks(app)

    @app.before_request
    def refuse_unless_protected() -> Response | None:
        # Later connections are looked at by the listener.
        if app.extensions.get(_FOUND_SAFE):
            return None
        with db.engine.connect() as connection:
            login = login_of(connection.info, connection.connection.dbapi_connection)
        if login.problem:
            return Response(f"{login.problem}\n", status=503, mimetype="text/plain")
        app.extensions[_FOUND_SAFE] = True
        return None
