"""Three environments of one tenant: a shared database, a database of its own beside a neighbour's, a server of its own."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psycopg2
import pytest
from psycopg2 import sql

from applying import PRISTINE, Content, _connected, _recreate, _using
from servers import OWNER, PROGRAMS, REPOSITORY, SUPERSET
from superset_tenancy.connections import credentials
from world import Person, all_metadata, as_owner

MOVER, NEIGHBOUR = "tk4q9w", "tz81mm"
BUCKET, KEY = "dumps", "arn:aws:kms:eu-central-1:123456789012:key/of-tk4q9w"
PASSWORD = "a password of before"
TENANTS = [
    {"id": MOVER, "displayName": "Northwind Traders", "adminEmail": "ada@northwind.example"},
    {"id": NEIGHBOUR, "displayName": "Contoso Retail", "adminEmail": "ben@contoso.example"},
]

#: The targets are environments of the source's account and region: their secrets have a prefix.
TARGET_SECRETS = {
    "SUPERSET_TENANT_SECRET": "target/superset/tenant/{tenant}/db_credentials",
    "SUPERSET_TENANT_ADMIN_SECRET": "target/superset/tenant/{tenant}/admin_login",
    "SUPERSET_LOADER_SECRET": "target/superset/tenant/{tenant}/loader_credentials",
}


class Environment:
    """One Superset with its metadata, and one server with the tenants' data."""

    def __init__(self, app: Any, name: str, variables: dict[str, str], superuser: dict, directory: Path, shared: bool) -> None:
        self.app = app
        self.name = name
        self.metadata = f"moving_{name}"
        self.variables = variables
        self.superuser = superuser
        self.directory = directory
        self.shared = shared
        self.tenants: list[dict] = []

    @contextmanager
    def here(self) -> Iterator[None]:
        """What runs within runs in this environment's tasks."""
        before = {name: os.environ.get(name) for name in self.variables}
        os.environ.update(self.variables)
        _forget()
        try:
            with _using(self.app, self.metadata):
                yield
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
            _forget()

    def run(self, *arguments: str, stdin: str | None = None) -> Any:
        with self.here(), as_owner(self.app):
            return self.app.test_cli_runner().invoke(args=["tenancy", *arguments], input=stdin)

    def done(self, *arguments: str, stdin: str | None = None) -> list[str]:
        """Runs a command, which must succeed; gives the lines that were said."""
        done = self.run(*arguments, stdin=stdin)
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output.splitlines()

    def refused(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.exit_code == 1 and not isinstance(done.exception, (TypeError, KeyError, AttributeError)), repr(done)
        return done.output

    def apply(self, *tenants: dict) -> list[str]:
        directory = self.directory / self.name
        directory.mkdir(exist_ok=True)
        content = Content()
        state = {"version": 1, "tenants": list(tenants), "content": "content.zip"}
        if not self.shared:
            state["ownSchema"] = "analytics"
        (directory / "desired-state.json").write_text(json.dumps(state))
        (directory / "content.zip").write_bytes(content.zip())
        self.tenants = list(tenants)
        return self.done("apply", str(directory))

    def database(self, tenant: str) -> str:
        return self.superuser.get("dbname") or f"tenant_{tenant}"

    def sql(self, tenant: str, statement: Any, *parameters: Any) -> list[tuple]:
        """As the superuser of the server: to set scenes, and to look."""
        connection = self._connect(tenant)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def _connect(self, tenant: str) -> Any:
        login = {**self.superuser, "dbname": self.database(tenant)}
        return psycopg2.connect(**login, sslmode="verify-full", sslrootcert=self.variables["PGSSLROOTCERT"])

    def table(self, tenant: str, name: str) -> str:
        return f"tenant_{tenant}.{name}" if self.shared and name in ("notes", "kinds", "details") else f"analytics.{name}"

    def rows(self, tenant: str, value: str | None = None) -> dict[str, list[str]]:
        """All rows of a tenant in each table, as text."""
        found = {}
        for name in ("orders", "events", "notes", "kinds", "details"):
            table = self.table(tenant, name)
            if self.sql(tenant, "SELECT to_regclass(%s) IS NOT NULL", table)[0][0]:
                mine = f" WHERE tenant_id = '{value}'" if self.shared and table.startswith("analytics.") else ""
                found[name] = [row for (row,) in self.sql(tenant, f"SELECT t::text FROM {table} t{mine} ORDER BY 1")]
        return found

    def reset(self) -> None:
        """As after its first deployment, where the mover has nothing yet."""
        _recreate(self.app, self.metadata, template=PRISTINE)
        if not self.shared:
            for (name,) in self.sql(
                MOVER, "SELECT relname FROM pg_class WHERE relnamespace = 'analytics'::regnamespace AND relkind = 'r'"
            ):
                self.sql(MOVER, sql.SQL("DROP TABLE analytics.{} CASCADE").format(sql.Identifier(name)))

    def people(self, *people: tuple[str, str]) -> None:
        """Users by name and role, of the tenant that their name ends in."""
        lines = [
            {"tenant": name[-6:], "role": role, "username": name, "email": f"{name}@x.example", "password": PASSWORD}
            for name, role in people
        ]
        self.done("add-users", stdin="\n".join(map(json.dumps, lines)))

    def give_roles(self, username: str, *roles: str) -> None:
        """The roles that a user has from now on, as an operator gives them."""
        with self.here(), all_metadata(self.app):
            from superset import db, security_manager

            security_manager.find_user(username).roles = [security_manager.find_role(role) for role in roles]
            db.session.commit()

    def person(self, name: str) -> Person:
        """Within `here`."""
        return Person(self.app.test_client(), name, PASSWORD)

    def of(self, tenant: str, value: str | None = None) -> dict:
        """All that a tenant has: its rows, and what Superset has of it, to the byte."""
        from superset_tenancy.moving.objects import describe, describe_people, describe_rules, things_of

        with self.here(), all_metadata(self.app):
            things = things_of(tenant)
            superset = [describe(tenant, things), describe_people(tenant), describe_rules(tenant, things)]
        return {"rows": self.rows(tenant, value), "superset": superset}

    @contextmanager
    def blocked(self, tenant: str, table: str) -> Iterator[None]:
        """Nobody writes to a table meanwhile."""
        connection = self._connect(tenant)
        try:
            connection.cursor().execute(f"BEGIN; LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
            yield
        finally:
            connection.close()

    def process(self, *arguments: str) -> subprocess.Popen:
        """A command as a task of its own, which may die."""
        return subprocess.Popen(
            [PROGRAMS / "superset", "tenancy", *arguments],
            env={**os.environ, **self.variables, **OWNER, "SUPERSET_DATABASE_NAME": self.metadata},
            cwd=SUPERSET,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def metadata_rows(self, statement: str) -> list[tuple]:
        with self.here(), _connected(self.app) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _forget() -> None:
    """What a process knows of its environment."""
    from superset_tenancy.connections import pools

    credentials.secrets_manager.cache_clear()
    credentials.patient_secrets_manager.cache_clear()
    credentials._logins.clear()
    for pool in pools._pools.values():
        pool.close()
    pools._pools.clear()


class Moving:
    """All of them, and the bucket in between."""

    def __init__(self, app: Any, servers: Any, answer: dict, directory: Path) -> None:
        authorities = directory / "authorities.pem"
        authorities.write_text(
            Path(servers.environment["PGSSLROOTCERT"]).read_text() + "\n" + Path(answer["authorities"]).read_text()
        )
        common = {"AWS_ENDPOINT_URL_S3": answer["s3"], "PGSSLROOTCERT": str(authorities)}
        name = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
        login = {name: servers.superuser[name] for name in ("host", "port", "user", "password", "dbname")}
        self.shared = Environment(app, "shared", {**common, name: servers.environment[name]}, login, directory, True)
        self.database, self.instance = (
            Environment(app, it, {**common, **TARGET_SECRETS, name: found[name]}, found["superuser"], directory, False)
            for it, found in answer["environments"].items()
        )
        self.s3 = boto3.client(
            "s3", endpoint_url=answer["s3"], region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
        )
        self.value = {tenant.id: tenant.value for tenant in servers.tenants}

    def export(self, environment: Environment, prefix: str, tenant: str = MOVER) -> tuple[str, str, str, str]:
        """The options by which an import reads what it exported."""
        location = f"s3://{BUCKET}/{prefix}"
        said = environment.done("export", "--tenant", tenant, "--to", location, "--key", KEY)
        return "--from", location, "--fingerprint", said[-1].split()[-1]


@pytest.fixture(scope="session")
def moving_servers(servers):
    servers.set_secret("superset/loader/db_credentials", _secret(servers, "loader"))
    secrets = {
        name: _secret(servers, name)
        for name in ("metadata", "metadata-web", *(f"superset/tenant/{id}/admin_login" for id in (MOVER, NEIGHBOUR)))
    }
    tsx = REPOSITORY / "node_modules" / ".bin" / "tsx"
    process = subprocess.Popen(
        [tsx, SUPERSET / "tests" / "moving" / "moving-servers.ts"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if "TENANCY_TEST_LOG" not in os.environ else None,
        text=True,
    )
    process.stdin.write(json.dumps(secrets) + "\n")
    process.stdin.flush()
    yield json.loads(process.stdout.readline())
    process.stdin.close()
    process.wait(60)


@pytest.fixture(scope="session")
def moving(servers, app, pristine, moving_servers, tmp_path_factory):
    started = Moving(app, servers, moving_servers, tmp_path_factory.mktemp("moving"))
    started.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for environment in (started.shared, started.database, started.instance):
        _recreate(app, environment.metadata, template=PRISTINE)
    return started


def _secret(servers: Any, name: str) -> dict:
    variable = "AWS_ENDPOINT_URL_SECRETS_MANAGER"
    client = boto3.client(
        "secretsmanager",
        endpoint_url=servers.environment[variable],
        region_name="eu-central-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    return json.loads(client.get_secret_value(SecretId=name)["SecretString"])
