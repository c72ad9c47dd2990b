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

from applying import PRISTINE, Content, _connected, _recreate, _using
from servers import REPOSITORY, SUPERSET
from superset_tenancy import credentials

MOVER, NEIGHBOUR = "tk4q9w", "tz81mm"
BUCKET, KEY = "dumps", "arn:aws:kms:eu-central-1:123456789012:key/of-tk4q9w"
TENANTS = [
    {"id": MOVER, "displayName": "Northwind Traders", "adminEmail": "ada@northwind.example"},
    {"id": NEIGHBOUR, "displayName": "Contoso Retail", "adminEmail": "ben@contoso.example"},
]


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
        with self.here():
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

    def sql(self, tenant: str, statement: str, *parameters: Any) -> list[tuple]:
        """As the superuser of the server: to set scenes, and to look."""
        connection = psycopg2.connect(
            **{**self.superuser, "dbname": self.database(tenant)},
            sslmode="verify-full",
            sslrootcert=self.variables["PGSSLROOTCERT"],
        )
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def table(self, tenant: str, name: str) -> str:
        return f"tenant_{tenant}.{name}" if self.shared and name == "notes" else f"analytics.{name}"

    def rows(self, tenant: str, value: str | None = None) -> dict[str, list[str]]:
        """All rows of a tenant, as text."""
        found = {}
        for name in ("orders", "events", "notes"):
            table = self.table(tenant, name)
            mine = f" WHERE tenant_id = '{value}'" if self.shared and name != "notes" else ""
            try:
                found[name] = [row for (row,) in self.sql(tenant, f"SELECT t::text FROM {table} t{mine} ORDER BY 1")]
            except psycopg2.errors.UndefinedTable:
                found[name] = []
        return found

    def metadata_rows(self, statement: str) -> list[tuple]:
        with self.here(), _connected(self.app) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


def _forget() -> None:
    """What a process knows of its environment."""
    from superset_tenancy import pools

    credentials.secrets_manager.cache_clear()
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
            Environment(app, it, {**common, name: found[name]}, found["superuser"], directory, False)
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
    secrets = {
        name: _secret(servers, name) for name in ("metadata", *(f"superset/tenant/{id}/admin_login" for id in (MOVER, NEIGHBOUR)))
    }
    tsx = REPOSITORY / "node_modules" / ".bin" / "tsx"
    process = subprocess.Popen(
        [tsx, SUPERSET / "tests" / "moving-servers.ts"],
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
