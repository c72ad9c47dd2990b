"""What Superset is given once it stands: command line, admission, list of routes, guards, patches, brand."""

from flask import Flask

from superset_tenancy.admission.callers import Callers
from superset_tenancy.admission.middleware import Admission
from superset_tenancy.admission.refusal import say_when
from superset_tenancy.brand import apply_brand
from superset_tenancy.results.reading import count_while_reading


def install(app: Flask) -> None:
    """FLASK_APP_MUTATOR."""
    # These need Superset's models, which cannot be loaded before it stands.
    from superset_tenancy.content_guard import guard_content
    from superset_tenancy.metadata.serving import keep_metadata_apart
    from superset_tenancy.moving.cli import tenancy
    from superset_tenancy.patches import apply_patches
    from superset_tenancy.refusals.answers import answer_refusals
    from superset_tenancy.requests import related
    from superset_tenancy.requests.guard import guard_requests
    from superset_tenancy.requests.responses import forbid_keeping
    from superset_tenancy.routes.gate import guard_routes
    from superset_tenancy.sign_in.install import install_sign_in
    from superset_tenancy.sql.install import guard_sql

    app.cli.add_command(tenancy)
    keep_metadata_apart(app)
    guard_routes(app)
    count_while_reading()
    app.after_request(say_when)
    app.wsgi_app = Admission(app.wsgi_app, Callers(app, app.config["ADMISSION_REDIS"]))
    apply_patches()
    guard_sql()
    apply_brand(app)
    guard_content(app)
    related.apply()
    guard_requests(app)
    forbid_keeping(app)
    # Flask calls hooks of answers in reverse: what takes an answer's place is marked, too.
    answer_refusals(app)
    install_sign_in(app)
