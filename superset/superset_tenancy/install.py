"""What Superset is given once it stands: the command line, admission, the guard of what is saved, the patches, the brand."""

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
    from superset_tenancy.moving.cli import tenancy
    from superset_tenancy.patches import apply_patches

    app.cli.add_command(tenancy)
    count_while_reading()
    app.after_request(say_when)
    app.wsgi_app = Admission(app.wsgi_app, Callers(app, app.config["ADMISSION_REDIS"]))
    apply_patches()
    apply_brand(app)
    guard_content(app)
