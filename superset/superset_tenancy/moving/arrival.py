"""Whether what a tenant had in Superset can come here: looked at before anything is touched.

Nothing of anybody else's is ever written: a user or an embedded dashboard that is called as the tenant's is the tenant's own, or
the import is refused. Slugs and UUIDs of charts, datasets and dashboards are per tenant. And what the tenant has made here since
is lost only to who says `--replace`.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from superset import db, security_manager
from superset.connectors.sqla.models import RLSFilterTables, RowLevelSecurityFilter
from superset.models.dashboard import Dashboard
from superset.models.embedded_dashboard import EmbeddedDashboard

from superset_tenancy import names
from superset_tenancy.metadata.scope import PLATFORM, as_scope
from superset_tenancy.moving.comparison import differences
from superset_tenancy.moving.objects import MODELS, Things, called, describe, given_to, rules_of, things_of
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.provisioning.databases import find_database
from superset_tenancy.provisioning.users import KnownUsers, Person, other_owner


def refuse_what_cannot_come(tenant: str, description: dict[str, Any], replace: bool) -> None:
    """Raises Refused with all that stands in the way."""
    if find_database(tenant) is None:
        raise Refused([f"there is no tenant {tenant} in this Superset; deploy the environment with it first"])
    if not differences(tenant, description):
        return
    things = things_of(tenant)
    problems = [
        *_problems_with_people(tenant, description["people"], replace),
        *_problems_with_things(tenant, things, description["things"]),
        *_problems_with_rules(tenant, things, description["rules"]),
        *([] if replace else _changed_here(tenant, things, description["things"])),
    ]
    if problems:
        raise Refused(problems)


def person_of(tenant: str, person: dict[str, Any]) -> Person:
    return Person(tenant, "", person["username"], person["email"], person["first_name"], person["last_name"])


def _problems_with_people(tenant: str, people: list[dict[str, Any]], replace: bool) -> Iterator[str]:
    found = KnownUsers(person_of(tenant, person) for person in people)
    for person in people:
        users = found.of(person_of(tenant, person))
        for user in users:
            if whose := other_owner(user, tenant):
                yield f"user {person['username']}: that name or e-mail address is taken here by a user {whose}"
            elif user.login_count and user.password != person["password"] and not replace:
                yield f"user {person['username']} has signed in here with another password; --replace overwrites it"
        if len(users) > 1:
            yield f"user {person['username']}: one user has that name here, and another the e-mail address {person['email']}"
    yield from _problems_with_roles({role for person in people for role in person["roles"]}, (tenant,))


def _problems_with_things(tenant: str, things: Things, described: list[dict[str, Any]]) -> Iterator[str]:
    yield from _problems_with_roles({role for thing in described for role in thing.get("roles", ())}, (tenant,))
    own = {kind: {str(thing.uuid) for thing in things[kind]} for kind in MODELS}
    for thing in described:
        kind, uuid = thing["kind"], thing["uuid"]
        if uuid not in own[kind] and db.session.query(MODELS[kind].id).filter_by(uuid=UUID(uuid)).first():
            yield f"{called(thing)}: something of somebody else's has its UUID here"
        for embedded, _ in thing.get("embedded", ()):
            if _embedded_by(embedded) not in {None, *(it.id for it in things["dashboard"] if str(it.uuid) == uuid)}:
                yield f"{called(thing)}: another dashboard is embedded here by its UUID {embedded}"
        if slug := thing.get("slug"):
            other = db.session.query(Dashboard).filter(Dashboard.slug == slug, Dashboard.uuid != UUID(uuid)).first()
            if other:
                yield f'{called(thing)}: the dashboard "{other.dashboard_title}" has its slug "{slug}" here; give one another'


def _embedded_by(uuid: str) -> int | None:
    """Number of the dashboard. An embedding page says no tenant, so such a UUID is one among all tenants."""
    with as_scope(PLATFORM):
        return db.session.query(EmbeddedDashboard.dashboard_id).filter_by(uuid=UUID(uuid)).scalar()


def _problems_with_rules(tenant: str, things: Things, rules: list[dict[str, Any]]) -> Iterator[str]:
    # A rule's tables that are others' are not there for the tenant; their numbers are.
    numbers = {dataset.id for dataset in things["dataset"]}
    own = {rule.name for rule in rules_of(things) if _tables_of(rule) <= numbers}
    for rule in rules:
        if rule["name"] not in own and db.session.query(RowLevelSecurityFilter).filter_by(name=rule["name"]).first():
            yield f"rule {rule['name']}: a rule of row-level security for others is called so here; rename one"
    yield from _problems_with_roles({role for rule in rules for role in rule["roles"]}, (None, tenant))


def _tables_of(rule: RowLevelSecurityFilter) -> set[int]:
    tables = RLSFilterTables.c
    return {number for (number,) in db.session.query(tables.table_id).filter(tables.rls_filter_id == rule.id)}


def _problems_with_roles(roles: set[str], of: tuple[str | None, ...]) -> Iterator[str]:
    for role in sorted(roles):
        if names.tenant_of_role(role) not in of:
            yield f"role {role} is not the tenant's"
        elif security_manager.find_role(role) is None:
            yield f"there is no role {role} here"


def _changed_here(tenant: str, things: Things, described: list[dict[str, Any]]) -> Iterator[str]:
    exported = {thing["uuid"]: thing for thing in described}
    given = given_to(tenant)
    for thing in describe(tenant, things):
        known = exported.get(thing["uuid"])
        if known is None and thing["uuid"] not in given:
            yield f"{called(thing)} is here, and not in the dump; --replace removes it"
        elif known and thing["changed_by"] and thing["changed_on"] != known["changed_on"]:
            yield f"{called(thing)} was changed here by {thing['changed_by']}; --replace overwrites that"
