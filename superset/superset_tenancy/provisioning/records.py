"""What the provisioner must remember of a tenant, since Superset has no place for it.

It is one entry in `key_value`, Superset's own table for such things: it is in each backup of the metadata, it changes in the same
transaction as what it speaks of, and no migration of ours is needed beside Superset's.
"""

import json
import uuid
from dataclasses import asdict, dataclass, field

from superset import db
from superset.key_value.models import KeyValueEntry

from superset_tenancy import names

_RESOURCE = "superset_tenancy"


@dataclass
class Record:
    """What was done for one tenant."""

    #: By the UUID in the bundle: what the tenant was given, and the fingerprint of what it was made from; and its UUID, if the
    #: one that follows from the tenant's id was taken.
    content: dict[str, dict[str, str]] = field(default_factory=dict)
    #: Whom the tenant's removal has shut out, and what it has hidden: to be let in and shown again should the tenant return.
    deactivated_users: list[int] = field(default_factory=list)
    unpublished_dashboards: list[int] = field(default_factory=list)
    #: Whether the tenant is being moved, and its people only read.
    frozen: bool = False


def copy_uuid(tenant: str, original: str, record: Record) -> uuid.UUID:
    """UUID of the tenant's copy of what has this UUID in the bundle."""
    chosen = record.content.get(original, {}).get("uuid")
    return uuid.UUID(chosen) if chosen else names.content_uuid(tenant, original)


def uuids_of_copies(tenant: str) -> set[uuid.UUID]:
    """UUIDs of the tenant's copies of the content that this environment gives to all."""
    record = read_record(tenant)
    return {copy_uuid(tenant, original, record) for original in record.content}


def read_record(tenant: str) -> Record:
    entry = _entry(tenant)
    return Record(**json.loads(entry.value)) if entry else Record()


def write_record(tenant: str, record: Record) -> None:
    """Writes only what is new, so that a run without change writes nothing."""
    entry = _entry(tenant)
    value = json.dumps(asdict(record), sort_keys=True).encode()
    if entry is None and record != Record():
        db.session.add(KeyValueEntry(resource=_RESOURCE, uuid=names.record_uuid(tenant), value=value))
    elif entry is not None and entry.value != value:
        entry.value = value


def _entry(tenant: str) -> KeyValueEntry | None:
    return db.session.query(KeyValueEntry).filter_by(resource=_RESOURCE, uuid=names.record_uuid(tenant)).one_or_none()
