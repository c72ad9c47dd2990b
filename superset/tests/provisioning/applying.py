"""`superset tenancy apply` on metadata of its own: each test starts with what `superset init` has left."""

import io
import json
import os
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg2 import sql

from servers import OWNER, PROGRAMS, REPOSITORY, SUPERSET
from world import as_owner

CONTENT = REPOSITORY / "examples" / "shared-rls" / "content.zip"
PRISTINE, WORK = "pristine", "applying"
NORTHWIND = {"id": "tk4q9w", "displayName": "Northwind Traders", "adminEmail": "ada@northwind.example"}
CONTOSO = {"id": "tz81mm", "displayName": "Contoso Retail", "adminEmail": "ben@contoso.example"}


class Content:
    """The example's bundle as files that a test may change."""

    def __init__(self) -> None:
        with zipfile.ZipFile(CONTENT) as archive:
            entries = {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}
        self.files: dict[str, Any] = {path: yaml.safe_load(content) for path, content in entries.items()}

    def path(self, part: str) -> str:
        (found,) = [path for path in self.files if part in path]
        return found

    def file(self, part: str) -> Any:
        """The one file whose path has this part in it."""
        return self.files[self.path(part)]

    def zip(self) -> bytes:
        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in self.files.items():
                text = content if isinstance(content, (bytes, str)) else yaml.safe_dump(content, sort_keys=False)
                archive.writestr(f"bundle/{path}", text)
        return written.getvalue()


class Superset:
    """The metadata that a test applies desired states to."""

    def __init__(self, app: Any, servers: Any, directory: Path) -> None:
        self.app = app
        self.servers = servers
        self.directory = directory

    def write(self, *tenants: dict, content: Content | None = None) -> str:
        """Writes a desired state, and says where."""
        state: dict[str, Any] = {"version": 1, "tenants": list(tenants)}
        if content is not None:
            state["content"] = "content.zip"
            (self.directory / "content.zip").write_bytes(content.zip())
        (self.directory / "desired-state.json").write_text(json.dumps(state))
        return str(self.directory)

    def run(self, *arguments: str, stdin: str | None = None) -> Any:
        with as_owner(self.app):
            return self.app.test_cli_runner().invoke(args=["tenancy", *arguments], input=stdin)

    def apply(self, *tenants: dict, content: Content | None = None, options: tuple[str, ...] = ()) -> list[str]:
        """Applies a desired state, which must succeed; gives the lines that were said."""
        done = self.run("apply", *options, self.write(*tenants, content=content))
        assert done.exit_code == 0, done.output + repr(done.exception)
        return done.output.splitlines()

    def refused(self, *tenants: dict, content: Content | None = None) -> str:
        """Applies a desired state, which must be refused with nothing changed; gives what was said."""
        before = self.dump()
        done = self.run("apply", self.write(*tenants, content=content))
        assert done.exit_code == 1 and "nothing was changed" in done.output, done.output
        assert self.dump() == before
        return done.output

    def add_users(self, *people: dict) -> Any:
        return self.run("add-users", stdin="\n".join(map(json.dumps, people)))

    def connected(self) -> Any:
        return _connected(self.app)

    def rows(self, statement: str, *parameters: Any) -> list[tuple]:
        with self.connected() as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def values(self, statement: str, *parameters: Any) -> list[Any]:
        return [row[0] for row in self.rows(statement, *parameters)]

    def dump(self) -> dict[str, list[str]]:
        """All rows of all tables, but for the log of what was asked."""
        tables = self.values("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'logs'")
        dumped = {}
        for table in tables:
            statement = sql.SQL("SELECT t::text FROM {} AS t ORDER BY 1").format(sql.Identifier(table))
            dumped[table] = self.values(statement)
        return dumped

    def command(self, *arguments: str, **options: Any) -> subprocess.Popen:
        """The command in a process of its own."""
        return subprocess.Popen(
            [PROGRAMS / "superset", "tenancy", *arguments],
            env={**os.environ, **OWNER, "SUPERSET_DATABASE_NAME": WORK},
            cwd=SUPERSET,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            **options,
        )


@pytest.fixture(scope="session")
def pristine(servers, app, tmp_path_factory):
    """Metadata as the migration task finds it at a first deployment."""
    _recreate(app, PRISTINE)
    state = tmp_path_factory.mktemp("pristine")
    (state / "desired-state.json").write_text(json.dumps({"version": 1, "tenants": []}))
    done = subprocess.run(
        [PROGRAMS / "superset", "tenancy", "migrate", state],
        env={**os.environ, **OWNER, "SUPERSET_DATABASE_NAME": PRISTINE},
        cwd=SUPERSET,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # A run changes only what is asked of it.
    with _using(app, PRISTINE), _connected(app) as connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM ab_role WHERE name LIKE 'tenancy:%'")


@pytest.fixture
def superset(servers, app, pristine, tmp_path):
    _recreate(app, WORK, template=PRISTINE)
    with _using(app, WORK):
        yield Superset(app, servers, tmp_path)


@contextmanager
def _using(app: Any, database: str) -> Iterator[None]:
    """Superset's engine connects to whatever the settings name, so to another database once its connections are closed."""
    from superset import db

    settings = app.config["METADATA"]
    before, settings["dbname"] = settings["dbname"], database
    try:
        with app.app_context():
            db.engine.dispose()
        yield
    finally:
        settings["dbname"] = before
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@contextmanager
def _connected(app: Any) -> Iterator[Any]:
    with as_owner(app):
        connection = app.config["SQLALCHEMY_ENGINE_OPTIONS"]["creator"]()
    connection.autocommit = True
    try:
        yield connection
    finally:
        connection.close()


def _recreate(app: Any, database: str, template: str = "template1") -> None:
    with _using(app, "postgres"), _connected(app) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))
        cursor.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template)))
