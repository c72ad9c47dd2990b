"""What a tenant has in Superset, into a dump: by Superset's own export commands, one thing a file."""

import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import yaml
from superset import security_manager
from superset.commands.chart.export import ExportChartsCommand
from superset.commands.dashboard.export import ExportDashboardsCommand
from superset.commands.dataset.export import ExportDatasetsCommand
from superset.commands.query.export import ExportSavedQueriesCommand
from superset.utils.core import override_user

from superset_tenancy.moving.dump import Dump
from superset_tenancy.moving.left_behind import left_behind
from superset_tenancy.moving.objects import MODELS, Thing, counted, describe, describe_people, describe_rules, things_of
from superset_tenancy.moving.sessions import Place
from superset_tenancy.provisioning.records import read_record

_COMMANDS = {
    "dataset": ExportDatasetsCommand,
    "chart": ExportChartsCommand,
    "dashboard": ExportDashboardsCommand,
    "query": ExportSavedQueriesCommand,
}
_STORED_AS = "superset.zip"
DESCRIPTION = "tenant.json"


class _Everybody:
    """Superset exports what a user may see. This one is no user of it, and sees what its administrators see."""

    id = None
    username = "superset tenancy export"
    is_anonymous = False
    is_authenticated = True
    is_active = True
    groups: list = []

    def __init__(self) -> None:
        self.roles = [security_manager.find_role("Admin")]


def export_objects(tenant: str, place: Place, dump: Dump, say: Callable[[str], None]) -> dict[str, Any]:
    """Stores them with the tenant's people; gives what the manifest says of them."""
    things = things_of(tenant)
    for line in left_behind(tenant, things, place):
        say(line)
    people = describe_people(tenant)
    description = {
        "people": people,
        "things": describe(tenant, things),
        "rules": describe_rules(tenant, things),
        "content": read_record(tenant).content,
        "schemas": {"common": place.common, "own": place.own if place.shared else None},
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as zipped:
        zipped.writestr(DESCRIPTION, json.dumps(description))
        for kind in MODELS:
            for thing in things[kind]:
                zipped.writestr(f"{kind}/{thing.uuid}.yaml", export_thing(kind, thing))
    stored = dump.write(_STORED_AS, lambda sink: sink.write(archive.getvalue()))
    say(f"Superset: {counted([thing['kind'] for thing in description['things']])} and {len(people)} users exported")
    return {"objects": asdict(stored)}


def export_thing(kind: str, thing: Thing) -> str:
    """The file of Superset's export."""
    # Of saved queries, everybody sees only those that they have made.
    with override_user(thing.created_by if kind == "query" else _Everybody()):
        _metadata, (_name, content) = _COMMANDS[kind]([thing.id], export_related=False).run()
        return content()


def read_objects(stored: bytes) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The description, and the file of each thing by its UUID."""
    with zipfile.ZipFile(io.BytesIO(stored)) as archive:
        description = json.loads(archive.read(DESCRIPTION))
        files = {
            thing["uuid"]: yaml.safe_load(archive.read(f"{thing['kind']}/{thing['uuid']}.yaml"))
            for thing in description["things"]
        }
    return description, files
