"""The servers around Superset, which servers.ts starts, and Superset's own processes among them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psycopg2

SUPERSET = Path(__file__).parents[2]
REPOSITORY = SUPERSET.parent
PROGRAMS = Path(sys.executable).parent
#: What the migration task has instead of the login of web, worker and beat.
OWNER = {"SUPERSET_DATABASE_SECRET": "metadata"}
#: The model of tenancy that most tests are about; TENANCY_TEST_MODEL names another one.
SHARED, DATABASE_PER_TENANT = "shared-rls", "database-per-tenant"


class Servers:
    """PostgreSQL twice, Valkey and Secrets Manager, as servers.ts starts them; the tenants' data as one model keeps them."""

    def __init__(self) -> None:
        tsx = REPOSITORY / "node_modules" / ".bin" / "tsx"
        self.model = os.environ.get("TENANCY_TEST_MODEL", SHARED)
        self.process = subprocess.Popen(
            [tsx, SUPERSET / "tests" / "environment" / "servers.ts", self.model],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if "TENANCY_TEST_LOG" not in os.environ else None,
            text=True,
        )
        line = self.process.stdout.readline()
        assert line, "the servers did not start: TENANCY_TEST_LOG=1 shows why"
        answer = json.loads(line)
        self.tenants = [SimpleNamespace(**tenant) for tenant in answer["tenants"]]
        self.superuser = answer["superuser"]
        self.commands = answer["commands"]
        #: A PgBouncer in front of the tenants' server, and what somebody who listens in needs to stand in front of it.
        self.proxy = answer["proxy"]
        #: What takes tokens of IAM in front of that server, as "host:port".
        self.token_proxy = answer["tokenProxy"]
        self.environment = {
            **answer["environment"],
            "SUPERSET_CONFIG_PATH": str(SUPERSET / "superset_config.py"),
            "PYTHONPATH": str(SUPERSET),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def ask(self, **command: object) -> dict:
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        assert answer.pop("done")
        return answer

    def restart(self, server: str) -> None:
        self.ask(restart=server)

    def set_secret(self, name: str, value: dict | None) -> None:
        """A secret's new value; None deletes it."""
        self.ask(secret=[name, value])

    def set_proxy_password(self, role: str, password: str) -> None:
        """The proxy's copy of a password."""
        self.ask(proxyUser={"username": role, "password": password})

    def tokens(self) -> SimpleNamespace:
        """The tokens that were taken since this was asked last, and why others were refused."""
        return SimpleNamespace(**self.ask(tokens=True))

    def run_superset(self, *arguments: str, **options: object) -> subprocess.CompletedProcess:
        """Runs a command of Superset, as the migration task does."""
        return subprocess.run(
            [PROGRAMS / "superset", *arguments],
            env={**os.environ, **self.environment, **OWNER},
            cwd=SUPERSET,
            capture_output=True,
            text=True,
            **options,
        )

    @contextmanager
    def running(
        self, name: str, *arguments: str, environment: dict[str, str] | None = None, **replaced: str
    ) -> Iterator[subprocess.Popen]:
        """A process as its task definition starts it, but for the words that are replaced, and more at its end."""
        command = [*(replaced.get(word, word) for word in self.commands[name]), *arguments]
        process = subprocess.Popen(
            [PROGRAMS / command[0], *command[1:]],
            env={**os.environ, **self.environment, **(environment or {})},
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

    def as_superuser(self, statement: str, *parameters: object, database: str | None = None) -> list[tuple]:
        """Only to set a scene that the overlay must cope with, and to look at what came of it."""
        connection = psycopg2.connect(**{**self.superuser, **({"dbname": database} if database else {})})
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
