"""Roles: a tenant's three, and the platform's own two. Each has what it should have, and nothing that somebody added by hand."""

from collections.abc import Iterator

from flask_appbuilder.security.sqla.models import assoc_permissionview_role
from sqlalchemy import delete, insert, select
from superset import db, security_manager
from superset.models.core import Database

from superset_tenancy import names
from superset_tenancy.provisioning.capabilities import CAPABILITY_PERMISSIONS, QUERYING_CAPABILITIES, WRITE, Permission
from superset_tenancy.provisioning.changes import Change, Note, Refused
from superset_tenancy.sql.mutator import EXPLAIN_PERMISSION

#: Of guests of embedded dashboards (GUEST_ROLE_NAME): they may do what viewers may.
GUEST_ROLE = "tenancy:guest"
#: For an operator to give to people who may run EXPLAIN and SHOW, beside their tenant's role.
EXPLAIN_ROLE = "tenancy:explain"

_HOLDS = assoc_permissionview_role


def permission_numbers() -> dict[Permission, int]:
    """The number of each permission that Superset has; raises Refused if one that is to be given is missing."""
    model, permission, view = (
        security_manager.permissionview_model,
        security_manager.permission_model,
        security_manager.viewmenu_model,
    )
    wanted = frozenset().union(*CAPABILITY_PERMISSIONS.values())
    rows = db.session.execute(
        select(permission.name, view.name, model.id)
        .join(permission, model.permission_id == permission.id)
        .join(view, model.view_menu_id == view.id)
        .where(view.name.in_({permission.view for permission in wanted}))
    )
    numbers = {Permission(name, view): number for name, view, number in rows}
    if missing := sorted(wanted - numbers.keys()):
        lines = [f"this Superset has no permission {name} on {view}" for name, view in missing]
        raise Refused([*lines, "run superset init first; if it stays, capabilities.py is for another version of Superset"])
    return numbers


def ensure_platform_roles(numbers: dict[Permission, int]) -> Iterator[Change]:
    """The role of guests, and the one for EXPLAIN, which nobody has unless an operator gives it."""
    yield from _ensure_role(GUEST_ROLE, {numbers[permission] for permission in CAPABILITY_PERMISSIONS["viewer"]})
    yield from _ensure_role(EXPLAIN_ROLE, {_ensure_permission(*EXPLAIN_PERMISSION)})


def ensure_roles(tenant: str, numbers: dict[Permission, int], frozen: bool = False) -> Iterator[Change | Note]:
    """The roles of a tenant, whose Database exists."""
    if frozen:
        yield Note("is frozen: its people only read, until superset tenancy thaw")
    for capability, permissions in CAPABILITY_PERMISSIONS.items():
        wanted = {numbers[permission] for permission in permissions - (WRITE if frozen else frozenset())}
        if capability in QUERYING_CAPABILITIES:
            database = db.session.query(Database).filter_by(uuid=names.database_uuid(tenant)).one()
            wanted.add(_ensure_permission("database_access", database.perm))
        yield from _ensure_role(names.role_name(tenant, capability), wanted)


def empty_roles(tenant: str) -> Iterator[Change]:
    """Leaves the roles of a tenant that is no more, without any permission."""
    for capability in CAPABILITY_PERMISSIONS:
        name = names.role_name(tenant, capability)
        if security_manager.find_role(name):
            yield from _ensure_role(name, set())


def tenants_with_roles() -> set[str]:
    """All tenants that Superset has ever been given."""
    role = security_manager.role_model
    found = db.session.scalars(select(role.name).where(role.name.like("tenant:%")))
    return {tenant for tenant in map(names.tenant_of_role, found) if tenant}


def _ensure_role(name: str, wanted: set[int]) -> Iterator[Change]:
    role = security_manager.find_role(name)
    if role is None:
        role = security_manager.role_model(name=name)
        db.session.add(role)
        db.session.flush()
        held: set[int] = set()
        yield Change(f"role {name}", "created")
    else:
        held = set(db.session.scalars(select(_HOLDS.c.permission_view_id).where(_HOLDS.c.role_id == role.id)))
        yield from _said(name, wanted - held, "granted")
        yield from _said(name, held - wanted, "taken away")
    if surplus := held - wanted:
        db.session.execute(delete(_HOLDS).where(_HOLDS.c.role_id == role.id, _HOLDS.c.permission_view_id.in_(surplus)))
    if missing := wanted - held:
        db.session.execute(insert(_HOLDS), [{"role_id": role.id, "permission_view_id": number} for number in sorted(missing)])


def _said(role: str, numbers: set[int], done: str) -> Iterator[Change]:
    model = security_manager.permissionview_model
    for pair in db.session.query(model).filter(model.id.in_(numbers)) if numbers else ():
        yield Change(f"role {role}: permission {pair.permission.name} on {pair.view_menu.name}", done)


def _ensure_permission(name: str, view: str) -> int:
    """Made here as Superset makes them, but within the transaction."""
    model = security_manager.permissionview_model
    found = security_manager.find_permission_view_menu(name, view)
    if found is None:
        found = model(
            permission=security_manager.find_permission(name) or security_manager.permission_model(name=name),
            view_menu=security_manager.find_view_menu(view) or security_manager.viewmenu_model(name=view),
        )
        db.session.add(found)
        db.session.flush()
    return found.id
