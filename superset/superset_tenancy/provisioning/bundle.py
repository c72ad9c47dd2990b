"""Superset's export bundle as content for all tenants: read, and refused unless all of it can be given to each of them.

A bundle was made over one Database, and speaks of nothing beyond: what is in it refers to what is in it. Its Database stands for
each tenant's own; nothing else is taken from it.
"""

import copy
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

import yaml
from marshmallow import Schema, ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from superset.charts.schemas import ImportV1ChartSchema
from superset.commands.dashboard.importers.v1.utils import (
    build_uuid_to_id_map,
    find_native_filter_datasets,
    update_id_refs,
)
from superset.constants import PASSWORD_MASK
from superset.dashboards.schemas import ImportV1DashboardSchema
from superset.datasets.schemas import ImportV1DatasetSchema

from superset_tenancy import names
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.sql.guard import check
from superset_tenancy.sql.refused import SqlRefused

#: In the order in which they are made.
KINDS = ("dataset", "chart", "dashboard")

_MAX_FILES = 2_000
_MAX_FILE_BYTES = 5 * 1024 * 1024
_MAX_BYTES = 50 * 1024 * 1024
_VERSION = "1.0.0"
_TYPES = ("Dashboard", "Slice", "SqlaTable", "assets")
_SCHEMAS: dict[str, type[Schema]] = {
    "dataset": ImportV1DatasetSchema,
    "chart": ImportV1ChartSchema,
    "dashboard": ImportV1DashboardSchema,
}
_TITLES = {"dataset": "table_name", "chart": "slice_name", "dashboard": "dashboard_title"}
_SECRETS = ("password", "encrypted_extra", "masked_encrypted_extra", "ssh_tunnel", "server_cert")
_TENANT_SCHEMA = re.compile(r"tenant_[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class BundleObject:
    """A dataset, chart or dashboard as the operator made it."""

    kind: str
    file: str
    config: dict[str, Any]

    @property
    def uuid(self) -> str:
        return str(self.config["uuid"])

    @property
    def title(self) -> str:
        return self.config[_TITLES[self.kind]]

    @cached_property
    def text(self) -> str:
        return json.dumps(self.config, sort_keys=True)

    @cached_property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Bundle:
    """What each tenant is given."""

    objects: list[BundleObject]
    #: Schema that belongs to the one tenant over whose Database the bundle was made, and stands for each tenant's own.
    tenant_schema: str | None
    #: Schema of each tenant's own tables, where every tenant has a database; None if it is named after the tenant.
    own_schema: str | None = None

    def of_tenant(self, thing: BundleObject, tenant: str, uuids: Mapping[str, UUID]) -> dict[str, Any]:
        """What a tenant's copy is made from: it refers to copies of the same tenant, by their UUIDs."""
        config = json.loads(self._uuids.sub(lambda found: str(uuids[found[0]]), thing.text))
        if thing.kind == "dataset" and config.get("schema") == self.tenant_schema is not None:
            config["schema"] = self.own_schema or names.schema_name(tenant)
        return config

    @cached_property
    def _uuids(self) -> re.Pattern[str]:
        return re.compile("|".join(re.escape(thing.uuid) for thing in self.objects) or r"(?!)")


def read_bundle(name: str, content: bytes, own_schema: str | None = None) -> Bundle:
    """Reads an export bundle; raises Refused with all that is wrong with it."""
    reading = _Reading(name)
    files = reading.files(content)
    if not reading.problems:
        reading.metadata(files.pop("metadata.yaml", None))
        reading.sort(files)
    if not reading.problems:
        reading.references()
    if reading.problems:
        raise Refused([f"{name}: {problem}" for problem in reading.problems])
    return Bundle(reading.objects, reading.tenant_schema, own_schema)


class _LoaderWithoutAliases(yaml.SafeLoader):
    """YAML whose size is what one sees: with aliases, a few lines may stand for gigabytes."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("has an alias (*), which Superset never writes")
        return super().compose_node(parent, index)


@dataclass
class _Reading:
    name: str
    problems: list[str] = field(default_factory=list)
    objects: list[BundleObject] = field(default_factory=list)
    databases: dict[str, dict[str, Any]] = field(default_factory=dict)
    tenant_schema: str | None = None

    def files(self, content: bytes) -> dict[str, Any]:
        """What the zip file holds, parsed, by its path below the one directory at its top."""
        try:
            archive = zipfile.ZipFile(io.BytesIO(content))
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            self._check_sizes(entries)
            parsed = {} if self.problems else {path: self._parse(path, archive.read(entry)) for path, entry in _paths(entries)}
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
            self.problems.append(f"is no zip file that can be read: {error}")
            return {}
        return parsed

    def _check_sizes(self, entries: list[zipfile.ZipInfo]) -> None:
        if len(entries) > _MAX_FILES or sum(entry.file_size for entry in entries) > _MAX_BYTES:
            self.problems.append(f"is too large: up to {_MAX_FILES:,} files and {_MAX_BYTES:,} bytes are read")
        self.problems += [
            f"{entry.filename}: is larger than {_MAX_FILE_BYTES:,} bytes"
            for entry in entries
            if entry.file_size > _MAX_FILE_BYTES
        ]
        paths = [PurePosixPath(entry.filename) for entry in entries]
        if any(path.is_absolute() or ".." in path.parts for path in paths):
            self.problems.append("has a file with a path that leads out of it")
        if len({path.parts[0] for path in paths if path.parts}) > 1:
            self.problems.append("has more than one directory at its top; Superset's export has one")
        if len(set(paths)) < len(paths):
            self.problems.append("has two files of one name")

    def _parse(self, path: str, content: bytes) -> Any:
        if not path.endswith((".yaml", ".yml")):
            self.problems.append(f"{path}: is not of Superset's export, which has YAML files only")
            return None
        try:
            parsed = yaml.load(content.decode(), Loader=_LoaderWithoutAliases)  # noqa: S506 - it is a safe loader
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
            self.problems.append(f"{path}: is not YAML: {_one_line(error)}")
            return None
        if not isinstance(parsed, dict):
            self.problems.append(f"{path}: is not a mapping")
        return parsed

    def metadata(self, metadata: Any) -> None:
        if metadata is None:
            self.problems.append("has no metadata.yaml: it is not an export of Superset's")
        elif metadata.get("version") != _VERSION:
            self.problems.append(f"metadata.yaml: version is {metadata.get('version')!r}; {_VERSION} can be read")
        elif metadata.get("type") not in _TYPES:
            self.problems.append(f"metadata.yaml: type is {metadata.get('type')!r}; export dashboards, charts or datasets")

    def sort(self, files: dict[str, Any]) -> None:
        """Puts each file where it belongs, if it is what Superset itself would import."""
        for path, config in files.items():
            kind = path.split("/")[0].removesuffix("s")
            if kind == "database":
                self.databases[path] = config
            elif kind not in KINDS:
                self.problems.append(f"{path}: cannot be given to tenants; only datasets, charts and dashboards can")
            else:
                self._add(kind, path, config)
        self.objects.sort(key=lambda thing: (KINDS.index(thing.kind), thing.file))
        uuids = [thing.uuid for thing in self.objects]
        for thing in self.objects:
            if uuids.count(thing.uuid) > 1:
                self.problems.append(f"{thing.file}: its uuid {thing.uuid} is that of another file, too")

    def _add(self, kind: str, path: str, config: dict[str, Any]) -> None:
        try:
            # The schemas change what they are given.
            _SCHEMAS[kind]().load(copy.deepcopy(config))
            self.objects.append(BundleObject(kind, path, json.loads(json.dumps(config))))
        except ValidationError as error:
            self.problems.append(f"{path}: {json.dumps(error.messages)}")
        except (TypeError, ValueError, AttributeError, KeyError) as error:
            self.problems.append(f"{path}: is not as Superset exports it: {_one_line(error)}")

    def references(self) -> None:
        """Refuses what refers to anything that is not in the bundle."""
        if len(self.databases) != 1:
            found = ", ".join(sorted(self.databases)) or "none"
            self.problems.append(f"must be made over one database, which stands for each tenant's own; it has {found}")
            return
        ((path, database),) = self.databases.items()
        self.problems += [f"{path}: {problem}" for problem in _problems_of_database(database)]
        if self.problems:
            return
        url = make_url(database["sqlalchemy_uri"])
        tenant = names.tenant_of_database(database["sqlalchemy_uri"], _uuid_of(database))
        role = names.schema_name(tenant) if tenant else url.username
        self.tenant_schema = role if role and _TENANT_SCHEMA.fullmatch(role) else None
        of_kind = {kind: {thing.uuid for thing in self.objects if thing.kind == kind} for kind in KINDS}
        for thing in self.objects:
            if thing.kind == "dataset":
                problems = self._problems_of_dataset(thing.config, database, url.database)
            elif thing.kind == "chart":
                problems = _problems_of_chart(thing.config, of_kind["dataset"])
            else:
                problems = _problems_of_dashboard(thing.config, of_kind["chart"], of_kind["dataset"])
            self.problems += [f"{thing.file}: {problem}" for problem in problems]

    def _problems_of_dataset(self, config: dict[str, Any], database: dict[str, Any], catalog: str | None) -> Iterator[str]:
        if str(config["database_uuid"]) != str(database["uuid"]):
            yield f"is over another database, {config['database_uuid']}, than the bundle"
        if config.get("catalog") not in (None, "", catalog):
            yield f"is in the catalog {config['catalog']}; tenants have one, their own database"
        if config.get("data"):
            yield "loads its rows from a URL; a tenant's rows are the ETL's"
        schema, sql = config.get("schema") or "", config.get("sql") or ""
        if _TENANT_SCHEMA.fullmatch(schema) and schema != self.tenant_schema:
            yield f"is in the schema {schema}, which may be a tenant's; make the bundle over that tenant's own Database"
        if sql:
            try:
                check(sql)
            except SqlRefused as refusal:
                yield f"its SQL is refused: {refusal}"
            if self.tenant_schema and re.search(rf"\b{self.tenant_schema}\b", sql):
                yield f"its SQL names {self.tenant_schema}; without a schema, each tenant's own table is found"


def _paths(entries: list[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    for entry in entries:
        path = PurePosixPath(entry.filename)
        yield str(PurePosixPath(*path.parts[1:])), entry


def _uuid_of(database: dict[str, Any]) -> UUID:
    return UUID(str(database["uuid"]))


def _problems_of_database(database: dict[str, Any]) -> Iterator[str]:
    try:
        _uuid_of(database)
        url = make_url(database["sqlalchemy_uri"])
    except (KeyError, ValueError, ArgumentError, AttributeError):
        yield "has no uuid and sqlalchemy_uri as Superset writes them"
        return
    if url.get_backend_name() != "postgresql":
        yield f"is a {url.get_backend_name()} database; tenants have PostgreSQL"
    if url.password not in (None, PASSWORD_MASK) or any(database.get(key) for key in _SECRETS):
        yield "holds a password, a key or a tunnel; take it out: nothing of it is used"


def _problems_of_chart(config: dict[str, Any], datasets: set[str]) -> Iterator[str]:
    if str(config["dataset_uuid"]) not in datasets:
        yield f"its dataset {config['dataset_uuid']} is not in the bundle"


def _problems_of_dashboard(config: dict[str, Any], charts: set[str], datasets: set[str]) -> Iterator[str]:
    if config.get("theme_uuid") or config.get("theme_id"):
        yield "has a theme; themes are shared by all tenants, so take it off"
    tiles = [tile for tile in config.get("position", {}).values() if isinstance(tile, dict) and tile.get("type") == "CHART"]
    for tile in tiles:
        if tile.get("meta", {}).get("uuid") not in charts:
            yield f"its chart {tile.get('meta', {}).get('sliceName') or tile.get('id')} is not in the bundle"
    for dataset in sorted(find_native_filter_datasets(config.get("metadata", {})) - datasets):
        yield f"a filter asks the dataset {dataset}, which is not in the bundle"
    try:
        trial = copy.deepcopy(config)
        numbers = {uuid: number for number, uuid in enumerate(build_uuid_to_id_map(trial.get("position", {})))}
        update_id_refs(trial, numbers, {uuid: {"datasource_id": 0} for uuid in datasets})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        yield f"its settings speak of what is not in the bundle: {_one_line(error)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
