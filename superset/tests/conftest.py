"""A real Superset in this process, with real servers around it, for all tests of a run."""

import json
import os
import sys
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient

# Tests of one area name those of another, and all of them what is in environment/.
sys.path[:0] = [str(area) for area in sorted(Path(__file__).parent.iterdir()) if area.is_dir()]


class Browser(FlaskClient):
    """Reads each answer to its end and closes it, as a web server does: until then, the request is counted as running."""

    def open(self, *arguments, **options):
        return super().open(*arguments, **{**options, "buffered": True})


def pytest_collection_modifyitems(items):
    """A move back leaves other rows in the shared tables than those that all other tests count: it comes last."""
    items.sort(key=lambda item: item.path.name == "test_moving.py")


@pytest.fixture(scope="session")
def servers():
    from servers import Servers

    started = Servers()
    os.environ.update(started.environment)
    yield started
    started.process.stdin.close()
    started.process.wait(60)


@pytest.fixture(scope="session")
def metadata(servers, tmp_path_factory):
    """Superset's metadata with the tenants, as the migration task makes them."""
    state = tmp_path_factory.mktemp("state")
    tenants = [
        {"id": tenant.id, "displayName": tenant.displayName, "adminEmail": tenant.adminEmail} for tenant in servers.tenants
    ]
    (state / "desired-state.json").write_text(json.dumps({"version": 1, "tenants": tenants}))
    done = servers.run_superset("tenancy", "migrate", str(state))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def app(metadata):
    from superset.app import create_app

    app = create_app()
    app.test_client_class = Browser
    # Requests of the test client come without TLS and without pages that carry a token.
    app.config.update(WTF_CSRF_ENABLED=False, SESSION_COOKIE_SECURE=False, RATELIMIT_ENABLED=False)
    # People are signed in once for all tests.
    app.config["JWT_ACCESS_TOKEN_EXPIRES"] = timedelta(hours=8)
    return app


@pytest.fixture(scope="session")
def tenancy(servers, app):
    """The tenants' people, as `superset tenancy add-users` makes them, and the platform's administrator."""
    from world import PASSWORD, all_metadata, as_owner

    users = [
        {"tenant": tenant.id, "role": role, "username": name, "email": f"{name}@example.com", "password": PASSWORD}
        for tenant in servers.tenants
        for role in ("viewer", "analyst")
        for name in [f"{role}-{tenant.id}"]
    ]
    with as_owner(app):
        done = app.test_cli_runner().invoke(args=["tenancy", "add-users"], input="\n".join(map(json.dumps, users)))
    assert done.exit_code == 0, done.output
    with all_metadata(app):
        from superset import security_manager

        admin = security_manager.find_role("Admin")
        security_manager.add_user("platform", "P", "A", "platform@example.com", admin, PASSWORD)
    return servers.tenants


@pytest.fixture(scope="session")
def world(servers, app, tenancy):
    """The tenants with what their analysts have made, by tenant id."""
    from superset import db, security_manager
    from superset.models.core import Database

    from servers import SHARED
    from superset_tenancy import names
    from world import Person, Tenant, all_metadata

    world = {}
    for tenant in tenancy:
        canary = f"canary-of-{tenant.id}"
        servers.as_superuser(
            "INSERT INTO analytics.orders (tenant_id, ordered_at, customer, product, quantity, amount)"
            " VALUES (%s, now(), %s, 'lamp', 1, 1)",
            tenant.value,
            canary,
            database=tenant.database,
        )
        with all_metadata(app):
            database = db.session.query(Database).filter_by(uuid=names.database_uuid(tenant.id)).one().id
            roles = [security_manager.find_role(names.role_name(tenant.id, role)).id for role in names.CAPABILITIES]
        orders = servers.as_superuser(
            "SELECT count(*) FROM analytics.orders WHERE tenant_id = %s", tenant.value, database=tenant.database
        )
        world[tenant.id] = Tenant(
            id=tenant.id,
            value=tenant.value,
            canary=canary,
            orders=orders[0][0],
            database=database,
            own_schema=names.schema_name(tenant.id) if servers.model == SHARED else "analytics",
            viewer=Person(app.test_client(), f"viewer-{tenant.id}"),
            analyst=Person(app.test_client(), f"analyst-{tenant.id}"),
        )
        world[tenant.id].make_content(roles)
    return world


@pytest.fixture(params=["tk4q9w", "tz81mm"])
def me(world, request):
    """Each tenant in turn."""
    return world[request.param]


@pytest.fixture
def other(world, me):
    """Whom the tenant must see nothing of."""
    return next(tenant for tenant in world.values() if tenant is not me)


@pytest.fixture(scope="session")
def platform(app, tenancy):
    """The platform's administrator."""
    from world import Person

    return Person(app.test_client(), "platform")


@pytest.fixture
def guest_of(app, platform):
    """Makes guests of a tenant's dashboard."""
    from world import Guest, Tenant

    def guest(tenant: Tenant, username: str) -> Guest:
        answer = platform.post(f"/api/v1/dashboard/{tenant.dashboard}/embedded", {"allowed_domains": []})
        assert answer.status_code == 200, answer.text
        return Guest(app.test_client(), platform, answer.json["result"]["uuid"], username)

    return guest


@pytest.fixture(autouse=True)
def no_wrong_passwords(request):
    """Wrong passwords of one test do not count for another."""
    if "app" in request.fixturenames:
        from limits.storage import storage_from_string

        storage_from_string(request.getfixturevalue("app").config["RATELIMIT_STORAGE_URI"]).reset()


@pytest.fixture
def account(app, tenancy):
    """An analyst of this test alone."""
    from accounts import Account

    return Account(app)


@pytest.fixture
def client(app):
    """A browser or program with an address of its own, so that the wrong passwords of one test do not count for another."""
    client = app.test_client()
    number = uuid.uuid4().int
    client.environ_base["HTTP_X_FORWARDED_FOR"] = f"198.18.{number % 250}.{number // 250 % 250}"
    return client


@pytest.fixture(scope="session")
def worker(servers, metadata):
    """A Celery worker as its task definition starts one."""
    with servers.running("worker") as process:
        yield process


@pytest.fixture
def every_route(app):
    """As if no route were withheld, so that what stands behind the list of routes is asked."""
    from world import without_allow_list

    with without_allow_list(app):
        yield
