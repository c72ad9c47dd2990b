"""The commands of `superset tenancy`."""

import json
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click
from flask.cli import with_appcontext
from marshmallow import Schema, ValidationError, fields, post_load, validate
from superset import db

from superset_tenancy import names
from superset_tenancy.provisioning import users
from superset_tenancy.provisioning.apply import apply_state
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.provisioning.desired_state import read_desired_state
from superset_tenancy.provisioning.users import Person

Result = TypeVar("Result")


@click.group()
def tenancy() -> None:
    """Tenants: what the environment file asks for, made so."""


@tenancy.command()
@click.argument("state")
@click.option("--dry-run", is_flag=True, help="Say what would be changed, and change nothing.")
@with_appcontext
def apply(state: str, dry_run: bool) -> None:
    """Make Superset's metadata what STATE says: a directory, a .zip file, or s3://bucket/key of one."""
    if not _or_refused(lambda: apply_state(read_desired_state(state), dry_run, click.echo)):
        sys.exit(1)


@tenancy.command()
@click.argument("state")
@with_appcontext
def migrate(state: str) -> None:
    """Migrate and initialise Superset, protect its metadata, and apply STATE: what a deployment runs."""
    from superset_tenancy.metadata.migration import MigrationFailed
    from superset_tenancy.metadata.migration import migrate as migrate_metadata

    try:
        done = _or_refused(lambda: migrate_metadata(state, click.echo))
    except MigrationFailed as failure:
        click.echo(str(failure), err=True)
        sys.exit(1)
    if not done:
        sys.exit(1)


@tenancy.command("add-users")
@with_appcontext
def add_users() -> None:
    """Create users from lines of JSON: tenant, role, username, email, password; first_name and last_name if known.

    A role is viewer, analyst or admin. A user who is there already, with that role, is left alone.
    """
    people = _or_refused(lambda: _people(click.get_text_stream("stdin").read()))
    changes = _or_refused(lambda: list(users.add_users(people)))
    db.session.commit()
    for change in changes:
        click.echo(change.said(False))
    click.echo(f"{len(changes)} of {len(people)} users were created")


class _PersonSchema(Schema):
    tenant = fields.String(required=True)
    role = fields.String(required=True, validate=validate.OneOf(names.CAPABILITIES))
    username = fields.String(required=True, validate=validate.Length(1, 128))
    email = fields.Email(required=True, validate=validate.Length(max=320))
    password = fields.String(required=True, validate=validate.Length(1))
    first_name = fields.String(load_default="", validate=validate.Length(max=64))
    last_name = fields.String(load_default="", validate=validate.Length(max=64))

    @post_load
    def _person(self, data: dict[str, str], **_: Any) -> tuple[Person, str]:
        password = data.pop("password")
        return Person(**data), password


def _people(lines: str) -> list[tuple[Person, str]]:
    people, problems = [], []
    for number, line in enumerate(lines.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            people.append(_PersonSchema().loads(line))
        except ValidationError as error:
            # The messages name fields, not values: a password is among those.
            problems += [f"line {number}: {name}: {' '.join(map(str, why))}" for name, why in error.normalized_messages().items()]
        except json.JSONDecodeError:
            problems.append(f"line {number}: is not JSON")
    for name in ("username", "email"):
        values = [getattr(person, name).lower() for person, _ in people]
        problems += [f"{value} is there twice" for value in sorted(set(values)) if values.count(value) > 1]
    if problems:
        raise Refused(problems)
    return people


def _or_refused(do: Callable[[], Result]) -> Result:
    try:
        return do()
    except Refused as refused:
        for problem in refused.problems:
            click.echo(f"refused: {problem}", err=True)
        click.echo("nothing was changed", err=True)
        sys.exit(1)
