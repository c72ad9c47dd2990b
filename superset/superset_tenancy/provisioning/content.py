"""The shared content of a tenant: its own copies of the datasets, charts and dashboards of the bundle, over its own Database.

A copy is known by its UUID, which follows from the tenant and the UUID in the bundle, and is a copy only if it is the tenant's.
If another tenant or the platform has something under that UUID, the tenant's copy gets another UUID, which the record keeps. A
copy is written when it is new, when its file in the bundle is another than the one it was made from, or when it refers to a copy
that had to be made again. Nothing is deleted: what the bundle no longer has stays with the tenant, and so does what the tenant
has added to a copy.

Superset notes who changed a thing last, and when. It is somebody, at another time than the copy was written, only if the tenant
has changed the copy. (Who may edit a dashboard "changes" its colours by looking at it, but not that time.) A change is kept in
mind and said at each run, until a new version of that file overwrites it.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.orm import selectinload
from superset import db, security_manager
from superset.commands.chart.importers.v1.utils import filter_chart_annotations, migrate_chart
from superset.commands.dashboard.importers.v1.utils import find_chart_uuids, update_id_refs
from superset.commands.utils import update_chart_config_dataset
from superset.connectors.sqla.models import SqlaTable, SqlMetric, TableColumn
from superset.models.core import Database
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from superset_tenancy import names
from superset_tenancy.provisioning.bundle import Bundle, BundleObject
from superset_tenancy.provisioning.changes import Change, Note
from superset_tenancy.provisioning.databases import find_database
from superset_tenancy.provisioning.ownership import described_owners, is_of_tenant
from superset_tenancy.provisioning.records import Record, copy_uuid
from superset_tenancy.provisioning.users import administrators

_MODELS = {"dataset": SqlaTable, "chart": Slice, "dashboard": Dashboard}

Copy = SqlaTable | Slice | Dashboard


def notice_changes(tenant: str, record: Record) -> None:
    """Remembers what the tenant has changed, before a run touches anything and with it the name and time that say so."""
    for original, (changed_on, changed_by) in _stamps(tenant, record).items():
        known = record.content[original]
        if changed_by and changed_on != known["written"]:
            known["changed_by"] = changed_by


def ensure_content(tenant: str, bundle: Bundle | None, record: Record) -> Iterator[Change | Note]:
    """Gives the tenant the content of the bundle, and remembers in the record what it was given."""
    objects = bundle.objects if bundle else []
    uuids = {thing.uuid: copy_uuid(tenant, thing.uuid, record) for thing in objects}
    copies, foreign = _existing(tenant, objects, uuids)
    given = {original: known["fingerprint"] for original, known in record.content.items()}
    if bundle and {thing.uuid: thing.fingerprint for thing in objects} != given:
        for original, found in foreign.items():
            uuids[original] = uuid4()
            yield Note(
                f"{found} has the UUID of this tenant's copy; it was left alone, and the copy has the UUID {uuids[original]}"
            )
        yield from _Version(tenant, bundle, uuids, copies, record).write()
    else:
        yield from _left_as_they_are(tenant, objects, copies, record)
    yield from _dropped(objects, record)
    yield from _owned(tenant, copies)
    db.session.flush()
    for original, (changed_on, _) in _stamps(tenant, record).items():
        record.content[original]["written"] = changed_on


def _stamps(tenant: str, record: Record) -> dict[str, tuple[str, str | None]]:
    """When each copy was changed last, and by whom, by the UUID in the bundle."""
    user = security_manager.user_model
    stamps: dict[str, tuple[str, str | None]] = {}
    for kind, model in _MODELS.items():
        known = [original for original, given in record.content.items() if given["kind"] == kind]
        originals = {copy_uuid(tenant, original, record): original for original in known}
        query = db.session.query(model.uuid, model.changed_on, user.username).outerjoin(user, model.changed_by_fk == user.id)
        for uuid, changed_on, username in query.filter(model.uuid.in_(originals)) if originals else ():
            stamps[originals[uuid]] = (str(changed_on), username)
    return stamps


def _existing(tenant: str, objects: list[BundleObject], uuids: dict[str, UUID]) -> tuple[dict[str, Copy], dict[str, str]]:
    """The tenant's copies that exist, and in words what of others has their UUIDs; both by the UUID in the bundle."""
    copies: dict[str, Copy] = {}
    foreign: dict[str, str] = {}
    for kind, model in _MODELS.items():
        originals = {uuids[thing.uuid]: thing.uuid for thing in objects if thing.kind == kind}
        query = db.session.query(model).options(selectinload(model.owners)).filter(model.uuid.in_(originals))
        for found in query if originals else ():
            if is_of_tenant(found, tenant):
                copies[originals[found.uuid]] = found
            else:
                foreign[originals[found.uuid]] = f"{kind} {found.id} ({described_owners(found)})"
    return copies, {original: words for original, words in foreign.items() if original not in copies}


def _left_as_they_are(tenant: str, objects: list[BundleObject], copies: dict[str, Copy], record: Record) -> Iterator[Note]:
    for thing in objects:
        copy = copies.get(thing.uuid)
        if copy is None:
            yield Note(f"{_called(thing)} was deleted by the tenant; the next version of the content brings it back")
        elif changed := _changed_by_tenant(tenant, copy, record.content[thing.uuid]):
            yield Note(f"{_called(thing)} was changed by the tenant ({changed}); it stays so until its next version")


def _dropped(objects: list[BundleObject], record: Record) -> Iterator[Change]:
    for original in sorted(record.content.keys() - {thing.uuid for thing in objects}):
        known = record.content.pop(original)
        yield Change(f'{known["kind"]} "{known["title"]}"', "left to the tenant", ": it is no longer in the content")


def _owned(tenant: str, copies: dict[str, Copy]) -> Iterator[Change]:
    """All administrators of the tenant may edit its copies."""
    for user in administrators(tenant) if copies else ():
        missing = [copy for copy in copies.values() if user not in copy.owners]
        for copy in missing:
            copy.owners.append(user)
        if missing:
            yield Change("the shared content", "given to its administrator", f" {user.username}")


def _changed_by_tenant(tenant: str, copy: Copy, known: dict[str, str]) -> str:
    """Who has changed the copy, and what cannot be seen from that; nothing if it is as it was written."""
    changes = [known["changed_by"]] if "changed_by" in known else []
    if isinstance(copy, Dashboard) and {role.name for role in copy.roles} != set(_role_names(tenant)):
        changes.append("its roles")
    return ", ".join(changes)


class _Version:
    """One version of the bundle, becoming a tenant's."""

    def __init__(self, tenant: str, bundle: Bundle, uuids: dict[str, UUID], copies: dict[str, Copy], record: Record) -> None:
        self.tenant = tenant
        self.bundle = bundle
        self.uuids = uuids
        self.copies = copies
        self.record = record
        self.database: Database = find_database(tenant)
        #: What was made in this run: whatever refers to it must be written, too.
        self.made: set[str] = set()

    def write(self) -> Iterator[Change]:
        for thing in self.bundle.objects:
            copy = self.copies.get(thing.uuid)
            known = self.record.content.get(thing.uuid, {})
            if copy is not None and known.get("fingerprint") == thing.fingerprint and not self._refers_to_made(thing):
                continue
            yield from self._written(thing, copy, known)
            self.record.content[thing.uuid] = {
                "kind": thing.kind,
                "title": thing.title,
                "fingerprint": thing.fingerprint,
            }
            if self.uuids[thing.uuid] != names.content_uuid(self.tenant, thing.uuid):
                self.record.content[thing.uuid]["uuid"] = str(self.uuids[thing.uuid])

    def _refers_to_made(self, thing: BundleObject) -> bool:
        return any(uuid in thing.text for uuid in self.made)

    def _written(self, thing: BundleObject, copy: Copy | None, known: dict[str, str]) -> Iterator[Change]:
        changed = _changed_by_tenant(self.tenant, copy, known) if copy else ""
        adopted = None
        if copy is None and thing.kind == "dataset":
            copy = adopted = self._dataset_of_the_tenant(thing)
        if copy is None or adopted:
            self.made.add(thing.uuid)
        is_new = copy is None
        config = self.bundle.of_tenant(thing, self.tenant, self.uuids)
        if is_new:
            copy = _MODELS[thing.kind]()
            db.session.add(copy)
        copy.uuid = self.uuids[thing.uuid]
        notes = list(getattr(self, f"_write_{thing.kind}")(copy, config))
        copy.changed_by_fk = None
        self.copies[thing.uuid] = copy
        db.session.flush()
        if adopted:
            notes.insert(0, "it was the tenant's own, and is shared content now; what the tenant had added to it stays")
        if changed:
            notes.insert(0, f"this overwrites what the tenant had changed ({changed})")
        detail = "".join(f"; {note}" for note in notes)
        yield Change(_called(thing), "created" if is_new else "updated", detail)

    def _dataset_of_the_tenant(self, thing: BundleObject) -> SqlaTable | None:
        """A dataset that the tenant has made over the same table: Superset has room for one."""
        config = self.bundle.of_tenant(thing, self.tenant, self.uuids)
        return (
            db.session.query(SqlaTable)
            .options(selectinload(SqlaTable.owners))
            .filter_by(database_id=self.database.id, schema=config.get("schema"), table_name=config["table_name"])
            .first()
        )

    def _write_dataset(self, dataset: SqlaTable, config: dict[str, Any]) -> Iterator[str]:
        config["catalog"] = self.database.get_default_catalog()
        dataset.database = self.database
        _set(dataset, config, SqlaTable.export_fields, as_json=("params", "template_params", "extra"))
        for children, model, name in (("columns", TableColumn, "column_name"), ("metrics", SqlMetric, "metric_name")):
            existing = {getattr(child, name): child for child in getattr(dataset, children)}
            for child in config.get(children) or ():
                copy = existing.get(child[name])
                if copy is None:
                    copy = model()
                    getattr(dataset, children).append(copy)
                _set(copy, child, model.export_fields, as_json=("extra",))
        return iter(())

    def _write_chart(self, chart: Slice, config: dict[str, Any]) -> Iterator[str]:
        dataset = next(copy for copy in self.copies.values() if str(copy.uuid) == config["dataset_uuid"])
        config = update_chart_config_dataset(config, as_datasource(dataset))
        filter_chart_annotations(config)
        forget_source(config["params"])
        if config.get("query_context"):
            query_context = json.loads(config["query_context"])
            forget_source(query_context.get("form_data") or {})
            config["query_context"] = json.dumps(query_context)
        config["params"] = json.dumps(config["params"])
        config = migrate_chart(config)
        chart.datasource_id = dataset.id
        _set(chart, config, Slice.export_fields)
        return iter(())

    def _write_dashboard(self, dashboard: Dashboard, config: dict[str, Any]) -> Iterator[str]:
        charts = {str(copy.uuid): copy for copy in self.copies.values() if isinstance(copy, Slice)}
        datasets = {str(copy.uuid): copy for copy in self.copies.values() if isinstance(copy, SqlaTable)}
        shown = [charts[uuid] for uuid in sorted(find_chart_uuids(config.get("position", {})))]
        config = update_id_refs(
            config,
            {uuid: chart.id for uuid, chart in charts.items()},
            {uuid: as_datasource(dataset) for uuid, dataset in datasets.items()},
        )
        forget_scopes(config.get("metadata", {}))
        config["position_json"] = json.dumps(config.pop("position", {}))
        config["json_metadata"] = json.dumps(config.pop("metadata", {}))
        config["published"] = True
        slug = config.pop("slug", None)
        _set(dashboard, config, [name for name in Dashboard.export_fields if name != "slug"])
        # What the tenant has put on it stays on it.
        known = {copy_uuid(self.tenant, original, self.record) for original in self.record.content}
        dashboard.slices = [*shown, *(chart for chart in dashboard.slices if chart.uuid not in known and chart not in shown)]
        dashboard.roles = [security_manager.find_role(role) for role in _role_names(self.tenant)]
        yield from self._set_slug(dashboard, slug)

    def _set_slug(self, dashboard: Dashboard, slug: str | None) -> Iterator[str]:
        wanted = f"{slug}-{self.tenant}" if slug else None
        taken = wanted and self._is_taken(wanted, dashboard)
        dashboard.slug = f"{wanted}-{dashboard.uuid.hex[:8]}" if taken else wanted
        if taken:
            yield f'its slug is "{dashboard.slug}", since another dashboard has the slug "{wanted}"'

    def _is_taken(self, slug: str, dashboard: Dashboard) -> bool:
        with db.session.no_autoflush:
            others = db.session.query(Dashboard.id).filter(Dashboard.slug == slug, Dashboard.uuid != dashboard.uuid)
            return others.first() is not None


def _set(thing: Any, config: dict[str, Any], allowed: list[str], as_json: tuple[str, ...] = ()) -> None:
    for name in allowed:
        if name in config:
            value = config[name]
            setattr(thing, name, json.dumps(value) if name in as_json and isinstance(value, dict) else value)


def forget_source(form_data: dict[str, Any]) -> None:
    """Numbers of the Superset that the bundle was made in are somebody else's here."""
    for name in ("slice_id", "dashboards", "dashboardId"):
        form_data.pop(name, None)


def forget_scopes(metadata: dict[str, Any]) -> None:
    """Numbers of charts that Superset's import does not translate; the page finds them out anew."""
    scoped = [
        *metadata.get("native_filter_configuration", []),
        metadata.get("global_chart_configuration", {}),
        *(chart.get("crossFilters", {}) for chart in metadata.get("chart_configuration", {}).values()),
    ]
    for scope in scoped:
        scope.pop("chartsInScope", None)


def as_datasource(dataset: SqlaTable) -> dict[str, Any]:
    return {
        "datasource_id": dataset.id,
        "datasource_type": dataset.datasource_type,
        "datasource_name": dataset.table_name,
    }


def _role_names(tenant: str) -> list[str]:
    return [names.role_name(tenant, capability) for capability in names.CAPABILITIES]


def _called(thing: BundleObject) -> str:
    return f'{thing.kind} "{thing.title}"'
