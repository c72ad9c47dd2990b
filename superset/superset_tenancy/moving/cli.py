"""The commands of `superset tenancy` that move a tenant, each safe to repeat. See docs/moving-a-tenant.md."""

import re
import sys
from collections.abc import Callable

import click
import psycopg2
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from flask.cli import with_appcontext
from superset import db

from superset_tenancy import names
from superset_tenancy.metadata.scope import as_scope
from superset_tenancy.moving.arrival import refuse_what_cannot_come
from superset_tenancy.moving.comparison import differences
from superset_tenancy.moving.dump import Dump, DumpDamaged, Stored
from superset_tenancy.moving.frozen import set_frozen
from superset_tenancy.moving.objects_in import import_objects
from superset_tenancy.moving.objects_out import export_objects, read_objects
from superset_tenancy.moving.rows_in import Arriving, import_rows, verify_rows
from superset_tenancy.moving.rows_out import export_rows
from superset_tenancy.moving.sessions import read_place, reading
from superset_tenancy.moving.stopped import Stopped
from superset_tenancy.moving.tables import read_tables
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.provisioning.cli import tenancy
from superset_tenancy.refusals.refusal import TenancyRefusal

_tenant = click.option("--tenant", required=True, help="Id of the tenant.")
_from = click.option("--from", "location", required=True, help="Where the dump is: s3://bucket/prefix.")
_fingerprint = click.option("--fingerprint", required=True, help="What the export said of it.")


@tenancy.command()
@_tenant
@with_appcontext
def freeze(tenant: str) -> None:
    """Let the tenant's people only read, until thaw."""
    _said(tenant, lambda say: set_frozen(tenant, True, say))


@tenancy.command()
@_tenant
@with_appcontext
def thaw(tenant: str) -> None:
    """Let the tenant's people write again."""
    _said(tenant, lambda say: set_frozen(tenant, False, say))


@tenancy.command()
@_tenant
@click.option("--to", "location", required=True, help="Where the dump goes: s3://bucket/prefix.")
@click.option("--key", required=True, help="KMS key that encrypts it: the tenant's own, by ARN or id.")
@with_appcontext
def export(tenant: str, location: str, key: str) -> None:
    """Store all rows of a tenant, what it has in Superset, and its people; say the dump's fingerprint."""

    def do(say: Callable[[str], None]) -> None:
        dump = Dump(location, key)
        dump.begin()
        with reading(tenant) as cursor:
            place = read_place(cursor, tenant)
            objects = export_objects(tenant, place, dump, say)
            rows = export_rows(cursor, place, dump, say)
        fingerprint = dump.finish({"tenant": tenant, "shared": place.shared, **rows, **objects})
        say(f"exported to {location}, fingerprint {fingerprint}")

    _said(tenant, do)


@tenancy.command("import")
@_tenant
@_from
@_fingerprint
@click.option("--replace", is_flag=True, help="Remove what the tenant has here and the dump has not.")
@click.option("--loader-secret", help="Secret of the login that writes the rows.  [default: that of the environment's loader]")
@with_appcontext
def import_(tenant: str, location: str, fingerprint: str, replace: bool, loader_secret: str | None) -> None:
    """Load a dump: the rows into the tenant's tables, and what it had in Superset over its Database here."""

    def do(say: Callable[[str], None]) -> None:
        dump = Dump(location)
        manifest = _manifest(dump, tenant, fingerprint)
        description, files = read_objects(dump.read_all(Stored(**manifest["objects"])))
        refuse_what_cannot_come(tenant, description, replace)
        with reading(tenant) as cursor:
            place = read_place(cursor, tenant)
        import_rows(place, manifest, dump, replace, loader_secret, say)
        with reading(tenant) as cursor:
            own_tables = {table.name for table in read_tables(cursor, place)[0] if table.own}
        import_objects(tenant, place, own_tables, description, files, replace, say)
        say("imported and verified")

    _said(tenant, do)


@tenancy.command("verify-move")
@_tenant
@_from
@_fingerprint
@with_appcontext
def verify_move(tenant: str, location: str, fingerprint: str) -> None:
    """Compare a tenant with a dump: where it came from, that nothing was written since; where it goes to, that all is there."""

    def do(say: Callable[[str], None]) -> None:
        dump = Dump(location)
        manifest = _manifest(dump, tenant, fingerprint)
        description, _ = read_objects(dump.read_all(Stored(**manifest["objects"])))
        with reading(tenant) as cursor:
            found = verify_rows(cursor, read_place(cursor, tenant), Arriving.all_of(manifest), say)
        others = differences(tenant, description)
        for line in others:
            say(line)
        if found or others:
            raise Stopped(f"{len(found)} tables and {len(others)} things of Superset's are not as in the dump")
        say(f"Superset: {len(description['things'])} things and {len(description['people'])} users as in the dump")
        say("all is as in the dump")

    _said(tenant, do)


def _manifest(dump: Dump, tenant: str, fingerprint: str) -> dict:
    manifest = dump.manifest(fingerprint)
    if manifest["tenant"] != tenant:
        raise Refused([f"the dump is of tenant {manifest['tenant']}"])
    return manifest


def _said(tenant: str, do: Callable[[Callable[[str], None]], None]) -> None:
    try:
        if not re.fullmatch(names.TENANT_ID, tenant):
            raise Refused([f"{tenant!r} is no id of a tenant: lowercase letters, digits and underscores, such as tk4q9w"])
        # Nobody else's things are there for it, and what it makes is the tenant's.
        with as_scope(tenant):
            do(lambda line: click.echo(f"tenant {tenant}: {line}"))
    except Refused as refused:
        for problem in refused.problems:
            click.echo(f"refused: {problem}", err=True)
        click.echo("nothing was changed", err=True)
        sys.exit(1)
    except (Stopped, DumpDamaged, TenancyRefusal, psycopg2.Error, Boto3Error, BotoCoreError, ClientError) as error:
        click.echo(f"tenant {tenant}: stopped: {' '.join(str(error).split())}", err=True)
        sys.exit(1)
    finally:
        db.session.remove()
