"""What Superset is given once it stands: the command line, the guard of what is saved, the patches, the brand."""

from flask import Flask

from superset_tenancy.brand import apply_brand


def install(app: Flask) -> None:
    """FLASK_APP_MUTATOR."""
    # These need Superset's models, which cannot be loaded before it stands.
    from superset_tenancy.content_guard import guard_content
    from superset_tenancy.metadata.serving import keep_metadata_apart
    from superset_tenancy.moving.cli import tenancy
    from superset_tenancy.patches import apply_patches

    app.cli.add_command(tenancy)
    keep_metadata_apart(app)
    apply_patches()
    apply_brand(app)
    guard_content(app)
