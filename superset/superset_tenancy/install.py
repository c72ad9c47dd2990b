"""What Superset is given once it stands: the command line, the guard of what is saved, the patches, the brand."""

from flask import Flask

from superset_tenancy.brand import apply_brand


def install(app: Flask) -> None:
    """FLASK_APP_MUTATOR."""
    # These need Superset's models, which cannot be loaded before it stands.
    from superset_tenancy.content_guard import guard_content
    from superset_tenancy.moving.cli import tenancy
    from superset_tenancy.patches import apply_patches
    from superset_tenancy.requests import related
    from superset_tenancy.requests.guard import guard_requests
    from superset_tenancy.requests.refusals import answer_with_reason
    from superset_tenancy.requests.responses import forbid_keeping

    app.cli.add_command(tenancy)
    apply_patches()
    apply_brand(app)
    guard_content(app)
    related.apply()
    guard_requests(app)
    answer_with_reason(app)
    forbid_keeping(app)
