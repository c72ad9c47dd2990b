"""A real Superset in this process, with real servers around it, for all tests of a run."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg2
import pytest

SUPERSET = Path(__file__).parents[1]
REPOSITORY = SUPERSET.parent
PROGRAMS = Path(sys.executable).parent


class Servers:
    """PostgreSQL twice, Valkey and Secrets Manager, as servers.ts starts them."""

    def __init__(self) -> None:
        tsx = REPOSITORY / "node_modules" / ".bin" / "tsx"
        self.process = subprocess.Popen(
            [tsx, SUPERSET / "tests" / "servers.ts"],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "TENANCY_TEST_LOG" not in os.environ else None,
            text=True,
        )
        answer = json.loads(self.process.stdout.readline())
        self.tenants = [SimpleNamespace(**tenant) for tenant in answer["tenants"]]
        self.superuser = answer["superuser"]
        self.commands = answer["commands"]
        self.environment = {
            **answer["environment"],
            "SUPERSET_CONFIG_PATH": str(SUPERSET / "superset_config.py"),
            "PYTHONPATH": str(SUPERSET),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def ask(self, **command: object) -> None:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        assert json.loads(self.process.stdout.readline()) == {"done": True}

    def restart(self, server: str) -> None:
        self.ask(restart=server)

    def set_secret(self, name: str, value: dict) -> None:
        self.ask(secret=[name, value])

    def run_superset(self, *arguments: str, **options: object) -> subprocess.CompletedProcess:
        """Runs a command of Superset, as the migration task does."""
        return subprocess.run(
            [PROGRAMS / "superset", *arguments],
            env={**os.environ, **self.environment},
            cwd=SUPERSET,
            capture_output=True,
            text=True,
            **options,
        )

    @contextmanager
    def running(self, name: str, **replaced: str) -> Iterator[subprocess.Popen]:
        """A process as its task definition starts it, but for the words that are replaced."""
        command = [replaced.get(word, word) for word in self.commands[name]]
        process = subprocess.Popen(
            [PROGRAMS / command[0], *command[1:]],
            env={**os.environ, **self.environment},
            cwd=SUPERSET,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)

    def as_superuser(self, statement: str, *parameters: object) -> list[tuple]:
        """Only to set a scene that the overlay must cope with, and to look at what came of it."""
        connection = psycopg2.connect(**self.superuser)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@pytest.fixture(scope="session")
def servers():
    started = Servers()
    os.environ.update(started.environment)
    yield started
    started.process.stdin.close()
    started.process.wait(60)


@pytest.fixture(scope="session")
def metadata(servers):
    """Superset's metadata, migrated and initialised by its own commands."""
    for arguments in (("db", "upgrade"), ("init",)):
        done = servers.run_superset(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def app(metadata):
    from superset.app import create_app

    app = create_app()
    # Requests of the test client come without TLS and without pages that carry a token.
    app.config.update(WTF_CSRF_ENABLED=False, SESSION_COOKIE_SECURE=False, RATELIMIT_ENABLED=False)
    return app


@pytest.fixture(scope="session")
def tenancy(servers, app, tmp_path_factory):
    """The tenants, as `superset tenancy apply` and `superset tenancy add-users` make them."""
    from world import PASSWORD

    state = tmp_path_factory.mktemp("state")
    tenants = [
        {"id": tenant.id, "displayName": tenant.displayName, "adminEmail": tenant.adminEmail} for tenant in servers.tenants
    ]
    (state / "desired-state.json").write_text(json.dumps({"version": 1, "tenants": tenants}))
    users = [
        {"tenant": tenant.id, "role": role, "username": name, "email": f"{name}@example.com", "password": PASSWORD}
        for tenant in servers.tenants
        for role in ("viewer", "analyst")
        for name in [f"{role}-{tenant.id}"]
    ]
    runner = app.test_cli_runner()
    for arguments, stdin in (
        (["tenancy", "apply", str(state)], None),
        (["tenancy", "add-users"], "\n".join(map(json.dumps, users))),
    ):
        done = runner.invoke(args=arguments, input=stdin)
        assert done.exit_code == 0, done.output
    with app.app_context():
        from superset import security_manager

        admin = security_manager.find_role("Admin")
        security_manager.add_user("platform", "P", "A", "platform@example.com", admin, PASSWORD)
    return servers.tenants


@pytest.fixture(scope="session")
def world(servers, app, tenancy):
    """The tenants with what their analysts have made, by tenant id."""
    from superset import db, security_manager
    from superset.models.core import Database

    from superset_tenancy import names
    from world import Person, Tenant

    world = {}
    for tenant in tenancy:
        canary = f"canary-of-{tenant.id}"
        servers.as_superuser(
            "INSERT INTO analytics.orders (tenant_id, ordered_at, customer, product, quantity, amount)"
            " VALUES (%s, now(), %s, 'lamp', 1, 1)",
            tenant.value,
            canary,
        )
        with app.app_context():
            database = db.session.query(Database).filter_by(uuid=names.database_uuid(tenant.id)).one().id
            roles = [security_manager.find_role(names.role_name(tenant.id, role)).id for role in names.CAPABILITIES]
        orders = servers.as_superuser("SELECT count(*) FROM analytics.orders WHERE tenant_id = %s", tenant.value)
        world[tenant.id] = Tenant(
            id=tenant.id,
            value=tenant.value,
            canary=canary,
            orders=orders[0][0],
            database=database,
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


@pytest.fixture(scope="session")
def worker(servers, metadata):
    """A Celery worker as its task definition starts one."""
    with servers.running("worker") as process:
        yield process
