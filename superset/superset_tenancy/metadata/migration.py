"""What the migration task does: Superset's schema, its own initialisation, the row security, and what the state asks for.

Safe to repeat. While Superset's own migration runs, tenants' tables are closed; a run that dies leaves them so, and the next
run goes on from there. Where no migration is pending, nothing is closed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import backoff
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import current_app
from psycopg2.errors import DeadlockDetected, LockNotAvailable
from superset import db

from superset_tenancy.connections.credentials import patient_secrets_manager
from superset_tenancy.metadata.login import examine
from superset_tenancy.metadata.protection import open_for_upgrade, protect, refuse_unknown_tables
from superset_tenancy.metadata.roles import WEB, set_web_password
from superset_tenancy.metadata.serving import is_for_one_tenant
from superset_tenancy.provisioning.apply import apply_state
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.provisioning.desired_state import read_desired_state

#: Secret of the login of web, workers and beat.
WEB_SECRET = "SUPERSET_WEB_DATABASE_SECRET"  # noqa: S105 - its name

#: Any number: whoever holds the advisory lock of this number on the metadata database migrates it.
_LOCK = 5_104_871_264


class MigrationFailed(Exception):
    """A step ended with an error, which it has printed."""


def migrate(location: str, say: Callable[[str], None]) -> bool:
    """Brings the metadata to the desired state at `location`; False if a tenant failed, Refused if it cannot be done."""
    state = read_desired_state(location)
    with closing(_connected()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        connection.commit()
        if not examine(connection).owner:
            raise Refused(["the metadata are migrated by their owner: SUPERSET_DATABASE_SECRET is another login's"])
        if _upgrade_is_pending(connection):
            open_for_upgrade(cursor)
            connection.commit()
            _superset("db", "upgrade")
        if not is_for_one_tenant():
            refuse_unknown_tables(cursor)
            connection.commit()
        _superset("init")
        if not is_for_one_tenant():
            _protect(connection, say)
        # What the engine knows of the database may be from before.
        db.session.remove()
        db.engine.dispose()
        return apply_state(state, False, say)


@backoff.on_exception(backoff.constant, (DeadlockDetected, LockNotAvailable), max_tries=5, interval=5)
def _protect(connection: Any, say: Callable[[str], None]) -> None:
    """One transaction, made again if it met one of the services: those go on working meanwhile."""
    connection.rollback()
    with connection.cursor() as cursor:
        protect(cursor, say)
        set_web_password(cursor, _web_password())
    connection.commit()


def _connected() -> Any:
    return current_app.config["SQLALCHEMY_ENGINE_OPTIONS"]["creator"]()


def _upgrade_is_pending(connection: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL")
        (migrated,) = cursor.fetchone()
        current = set()
        if migrated:
            cursor.execute("SELECT version_num FROM public.alembic_version")
            current = {version for (version,) in cursor.fetchall()}
    connection.commit()
    config = Config()
    config.set_main_option("script_location", "superset:migrations")
    known = ScriptDirectory.from_config(config)
    if unknown := sorted(current - {revision.revision for revision in known.walk_revisions()}):
        raise Refused(
            [
                f"the metadata are at revision {', '.join(unknown)}, which this image does not know: a newer Superset has"
                " migrated them. Deploy that image again, or restore the metadata of before; an older Superset cannot go back"
            ]
        )
    return current != set(known.get_heads())


def _superset(*arguments: str) -> None:
    """A command of Superset in a process that starts with the schema as it is now."""
    program = Path(sys.executable).with_name("superset")
    done = subprocess.run([program, *arguments], check=False)  # noqa: S603 - its own command
    if done.returncode:
        raise MigrationFailed(f"superset {' '.join(arguments)} failed; what it printed says why. The next run goes on from here.")


def _web_password() -> str:
    name = os.environ.get(WEB_SECRET, "")
    if not name:
        raise Refused([f"{WEB_SECRET} is not set: it names the secret of the login of web, workers and beat"])
    secret = json.loads(patient_secrets_manager(os.getpid()).get_secret_value(SecretId=name)["SecretString"])
    if secret.get("username") != WEB:
        raise Refused([f'the secret {name} is of "{secret.get("username")}"; it must be of "{WEB}"'])
    return secret["password"]
