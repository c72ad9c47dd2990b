"""What a tenant's user saves refers to nothing of another tenant, and changes nothing of another person.

Superset asks whether a user may see a dataset, but not when a chart is made of it; nor does it ask whose roles and owners a
dashboard is given; and an import takes over what has the same name or slug. This looks at every chart, dataset and dashboard just
before it is written, whichever way it came.
"""

import re
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import event, inspect
from superset import db
from superset.connectors.sqla.models import SqlaTable, SqlMetric, TableColumn
from superset.models.dashboard import Dashboard
from superset.models.slice import Slice

from superset_tenancy import names
from superset_tenancy.identity import acting_user, tenant_of_database, tenants_of
from superset_tenancy.provisioning.records import uuids_of_copies
from superset_tenancy.refusals.refusal import refused

Content = Slice | SqlaTable | Dashboard
#: What belongs to a dataset.
Part = TableColumn | SqlMetric

#: Version of the UUIDs that are derived from a name, as those of the shared content are. Superset makes random ones.
_DERIVED = 5
_SCHEME = re.compile(r"([^/?#:]*):")


def guard_content(app: Flask) -> None:
    """Looks at what is saved from now on."""
    with app.app_context():
        event.listen(db.session, "before_flush", _refuse_foreign)


def _refuse_foreign(session: Any, _context: Any, _instances: Any) -> None:
    written = [*session.new, *(thing for thing in session.dirty if session.is_modified(thing))]
    content = [thing for thing in written if isinstance(thing, Content)]
    parts = [thing for thing in (*written, *session.deleted) if isinstance(thing, Part)]
    user = acting_user() if content or parts else None
    tenants = tenants_of(user) if user else set()
    if not tenants:
        return
    for thing in content:
        _refuse_reserved_uuid(thing, tenants)
        if not _tenants_of_content(thing) <= tenants:
            raise refused("This would refer to something that does not belong to your account.")
        _refuse_taking_over(thing, user)
        _refuse_address(thing)
    for dataset in {part.table for part in parts if part.table is not None}:
        _refuse_unless_owner(dataset, user)


def _refuse_reserved_uuid(thing: Content, tenants: set[str]) -> None:
    """UUIDs of version 5 are those of shared content: nobody takes the one that another tenant's copy will have."""
    if not thing.uuid or not inspect(thing).attrs.uuid.history.has_changes():
        return
    chosen = UUID(str(thing.uuid))
    if chosen.version != 5 or chosen in {uuid for tenant in tenants for uuid in uuids_of_copies(tenant)}:
        return
    raise refused(
        f"The UUID {chosen} is of version 5. Those are reserved for shared content. "
        "Leave the UUID out, or choose one of version 4."
    )


def _tenants_of_content(thing: Content) -> set[str | None]:
    """The tenants of what it refers to from now on: an owner whom it has already may have left for another tenant."""
    if isinstance(thing, SqlaTable):
        tenants = {tenant_of_database(thing.database)} if thing.database else set()
        return tenants.union(*(tenants_of(owner) for owner in _added(thing, "owners")))
    tenants = set().union(*(tenants_of(owner) for owner in _added(thing, "owners")))
    if isinstance(thing, Slice):
        return tenants | _tenants_of_dataset(thing.datasource_id)
    tenants |= {names.tenant_of_role(role.name) for role in thing.roles}
    return tenants.union(*(_tenants_of_dataset(chart.datasource_id) for chart in thing.slices))


def _tenants_of_dataset(dataset: int | None) -> set[str | None]:
    found = db.session.get(SqlaTable, dataset) if dataset else None
    return {tenant_of_database(found.database)} if found else set()


def _added(thing: Content, collection: str) -> Any:
    return inspect(thing).attrs[collection].load_history().added or ()


def _refuse_taking_over(thing: Content, user: Any) -> None:
    state = inspect(thing)
    changed = {attribute.key for attribute in state.mapper.column_attrs if state.attrs[attribute.key].history.has_changes()}
    if changed or _added(thing, "owners"):
        _refuse_unless_owner(thing, user)


def _refuse_unless_owner(thing: Content, user: Any) -> None:
    state = inspect(thing)
    if not state.persistent:
        return
    history = state.attrs["owners"].load_history()
    if user not in [*(history.unchanged or ()), *(history.deleted or ())]:
        raise refused(f'"{thing}" is not yours, so it cannot be changed or overwritten. One of its owners can.')


def _refuse_address(thing: Content) -> None:
    """Links lead to web pages: a browser would run other things."""
    for attribute in inspect(thing).mapper.column_attrs:
        if attribute.key.endswith(("_url", "_endpoint")):
            address = getattr(thing, attribute.key)
            if address and not _is_web_address(str(address)):
                raise refused(f"{attribute.key} must be a path or begin with http:// or https://.")


def _is_web_address(address: str) -> bool:
    # As browsers read it: without control characters and blanks in front, and without tabs and line breaks in it.
    text = "".join(character for character in address if character > " ")
    scheme = _SCHEME.match(text)
    return scheme is None or scheme[1].lower() in ("http", "https")
