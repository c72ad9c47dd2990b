"""What a tenant had in Superset, from a dump: by Superset's own import, over the tenant's Database here, with new numbers.

All of it is one transaction. UUIDs stay, so that what is here already, as the shared content is, becomes what it was there. Whose
a thing is, who changed it and when come along. Nothing of anybody else's is written: what has one of these UUIDs, user names or
slugs here is the tenant's own, or the import is refused.
"""

import copy
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from superset import db, security_manager
from superset.commands.chart.importers.v1.utils import import_chart
from superset.commands.dashboard.importers.v1.utils import import_dashboard, update_id_refs
from superset.commands.dataset.importers.v1.utils import import_dataset
from superset.commands.query.importers.v1.utils import import_saved_query
from superset.commands.utils import update_chart_config_dataset
from superset.models.core import Database, FavStar
from superset.models.dashboard import Dashboard
from superset.models.embedded_dashboard import EmbeddedDashboard

from superset_tenancy.moving.objects import (
    FAVOURITES,
    MODELS,
    TITLES,
    Thing,
    Things,
    describe,
    describe_people,
    people_of,
    things_of,
)
from superset_tenancy.moving.sessions import Place
from superset_tenancy.moving.stopped import Stopped
from superset_tenancy.provisioning.apply import alone
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.provisioning.content import as_datasource, forget_scopes, forget_source
from superset_tenancy.provisioning.databases import find_database
from superset_tenancy.provisioning.records import read_record, write_record
from superset_tenancy.provisioning.users import KnownUsers, Person, other_owner


def import_objects(
    tenant: str,
    place: Place,
    own_tables: set[str],
    description: dict[str, Any],
    files: dict[str, dict[str, Any]],
    replace: bool,
    say: Callable[[str], None],
) -> None:
    """Makes what is not there as it was; raises Refused before it touches anything."""
    with alone(say):
        if not differences(tenant, description):
            say("Superset: all is there already")
            return
        arrival = _Arrival(tenant, place, own_tables, description, files)
        if problems := list(arrival.problems(replace)):
            raise Refused(problems)
        try:
            arrival.make(replace, say)
            db.session.flush()
            if found := differences(tenant, description):
                raise Stopped("; ".join(found))
            db.session.commit()
        except BaseException:
            db.session.rollback()
            raise


def differences(tenant: str, description: dict[str, Any]) -> list[str]:
    """What the tenant has here otherwise than the dump says; nothing if it is all the same."""
    things = things_of(tenant)
    given = {_called(thing) for thing in describe(tenant, things) if _is_content(tenant, thing["uuid"])}
    here = {_called(thing): thing for thing in describe(tenant, things)}
    there = {_called(thing): thing for thing in description["things"]}
    here |= {f"user {person['username']}": person for person in describe_people(tenant)}
    there |= {f"user {person['username']}": person for person in description["people"]}
    found = []
    for name, thing in there.items():
        if name not in here:
            found.append(f"{name} is not here")
        elif other := sorted(key for key in thing if thing[key] != here[name].get(key)):
            found.append(f"{name} has another {', '.join(other)} here")
    return [*found, *(f"{name} is not in the dump" for name in here if name not in there and name not in given)]


class _Arrival:
    def __init__(
        self, tenant: str, place: Place, own_tables: set[str], description: dict[str, Any], files: dict[str, dict[str, Any]]
    ) -> None:
        self.tenant = tenant
        self.place = place
        self.own_tables = own_tables
        self.description = description
        self.files = files
        self.database: Database | None = find_database(tenant)
        self.before: Things = things_of(tenant)
        self.made: dict[str, Thing] = {}
        self.users: dict[str, Any] = {}

    def problems(self, replace: bool) -> Iterator[str]:
        if self.database is None:
            yield f"there is no tenant {self.tenant} in this Superset; deploy the environment with it first"
            return
        yield from self._problems_with_people()
        yield from self._problems_with_things()
        if not replace:
            yield from self._changed_here()

    def _problems_with_people(self) -> Iterator[str]:
        people = [(it, Person(self.tenant, "", it["username"], it["email"], "", "")) for it in self.description["people"]]
        found = KnownUsers(person for _, person in people)
        for _, person in people:
            users = found.of(person)
            for user in users:
                if whose := other_owner(user, self.tenant):
                    yield f"user {person.username}: that name or e-mail address is taken here by a user {whose}"
            if len(users) > 1:
                yield f"user {person.username}: one user has that name here, and another the e-mail address {person.email}"
        for role in sorted({role for it, _ in people for role in it["roles"]}):
            if security_manager.find_role(role) is None:
                yield f"there is no role {role} here"

    def _problems_with_things(self) -> Iterator[str]:
        own = {kind: {str(thing.uuid) for thing in self.before[kind]} for kind in MODELS}
        for thing in self.description["things"]:
            kind, uuid = thing["kind"], thing["uuid"]
            taken = db.session.query(MODELS[kind].id).filter_by(uuid=UUID(uuid)).first()
            if taken and uuid not in own[kind]:
                yield f"{_called(thing)}: something of somebody else has its UUID here"
            for embedded, _ in thing.get("embedded", ()):
                holder = db.session.get(EmbeddedDashboard, UUID(embedded))
                if holder and str(holder.dashboard.uuid) != uuid:
                    yield f"{_called(thing)}: another dashboard is embedded here by its UUID {embedded}"

    def _changed_here(self) -> Iterator[str]:
        """What somebody has made or changed here since, and would lose."""
        exported = {thing["uuid"]: thing for thing in self.description["things"]}
        for thing in describe(self.tenant, self.before):
            known = exported.get(thing["uuid"])
            if known is None and not _is_content(self.tenant, thing["uuid"]):
                yield f"{_called(thing)} is here, and not in the dump; --replace removes it"
            elif known and thing["changed_by"] and thing["changed_on"] != known["changed_on"]:
                yield f"{_called(thing)} was changed here by {thing['changed_by']}; --replace overwrites that"

    def make(self, replace: bool, say: Callable[[str], None]) -> None:
        self._make_people(replace, say)
        # Of several who may edit a thing, none is needed for what is done here.
        if replace:
            self._remove_what_is_gone(say)
        for thing in self.description["things"]:
            config = copy.deepcopy(self.files[thing["uuid"]])
            with db.session.no_autoflush:
                made = getattr(self, f"_make_{thing['kind']}")(thing, config)
            self.made[thing["uuid"]] = made
            db.session.flush()
        for thing in self.description["things"]:
            self._give(thing, self.made[thing["uuid"]])
        db.session.flush()
        for thing in self.description["things"]:
            self._stamp(thing, self.made[thing["uuid"]])
        record = read_record(self.tenant)
        record.content |= self.description["content"]
        write_record(self.tenant, record)
        db.session.flush()
        db.session.expire_all()
        kinds = [thing["kind"] for thing in self.description["things"]]
        counts = ", ".join(f"{kinds.count(kind)} {'queries' if kind == 'query' else kind + 's'}" for kind in MODELS)
        say(f"Superset: {counts} and {len(self.users)} users imported and verified")

    def _make_people(self, replace: bool, say: Callable[[str], None]) -> None:
        model = security_manager.user_model
        for person in self.description["people"]:
            known = KnownUsers([Person(self.tenant, "", person["username"], person["email"], "", "")])
            found = db.session.query(model).filter_by(username=person["username"]).one_or_none()
            for other in () if found else known.of(Person(self.tenant, "", person["username"], person["email"], "", "")):
                found = other
            user = found or model()
            for name in ("username", "email", "first_name", "last_name", "active", "password"):
                setattr(user, name, person[name])
            user.roles = [security_manager.find_role(role) for role in person["roles"]]
            if found is None:
                db.session.add(user)
            self.users[person["username"]] = user
        db.session.flush()
        for user in people_of(self.tenant):
            if user.username not in self.users and replace and user.active:
                user.roles = [role for role in user.roles if not role.name.startswith(f"tenant:{self.tenant}:")]
                user.active = False
                say(f"user {user.username} deactivated: the tenant no longer has that user")

    def _remove_what_is_gone(self, say: Callable[[str], None]) -> None:
        exported = {thing["uuid"] for thing in self.description["things"]}
        for kind in reversed(MODELS):
            for thing in self.before[kind]:
                if str(thing.uuid) not in exported and not _is_content(self.tenant, str(thing.uuid)):
                    say(f'{kind} "{getattr(thing, TITLES[kind])}" removed: the tenant no longer has it')
                    db.session.delete(thing)
        db.session.flush()

    def _make_dataset(self, _thing: dict[str, Any], config: dict[str, Any]) -> Thing:
        config["database_id"] = self.database.id
        config["catalog"] = self.database.get_default_catalog()
        config["schema"] = self._schema(config)
        return import_dataset(config, overwrite=True, ignore_permissions=True)

    def _schema(self, config: dict[str, Any]) -> str | None:
        """Where the table is here. What is typed in SQL finds its tables by the login's search path."""
        schemas = self.description["schemas"]
        schema = config.get("schema")
        if schema not in (schemas["common"], schemas["own"]) or schema is None:
            return schema
        if not config.get("sql"):
            return self.place.schema(config["table_name"] in self.own_tables)
        return self.place.schema(schema == schemas["own"])

    def _make_chart(self, thing: dict[str, Any], config: dict[str, Any]) -> Thing:
        config = update_chart_config_dataset(config, as_datasource(self.made[thing["dataset"]]))
        forget_source(config["params"])
        if config.get("query_context"):
            query_context = json.loads(config["query_context"])
            forget_source(query_context.get("form_data") or {})
            config["query_context"] = json.dumps(query_context)
        return import_chart(config, overwrite=True, ignore_permissions=True)

    def _make_dashboard(self, thing: dict[str, Any], config: dict[str, Any]) -> Thing:
        charts = {uuid: made.id for uuid, made in self.made.items() if isinstance(made, MODELS["chart"])}
        datasets = {uuid: as_datasource(made) for uuid, made in self.made.items() if isinstance(made, MODELS["dataset"])}
        config = update_id_refs(config, charts, datasets)
        forget_scopes(config.get("metadata", {}))
        # By its slug Superset would find, and overwrite, somebody else's.
        slug = config.pop("slug", None)
        config.pop("theme_uuid", None)
        dashboard = import_dashboard(config, overwrite=True, ignore_permissions=True)
        taken = (
            slug and db.session.query(Dashboard.id).filter(Dashboard.slug == slug, Dashboard.uuid != UUID(thing["uuid"])).first()
        )
        if taken:
            raise Stopped(f'dashboard "{thing["title"]}": another dashboard here has the slug "{slug}"; give one of them another')
        dashboard.slug = slug
        return dashboard

    def _make_query(self, thing: dict[str, Any], config: dict[str, Any]) -> Thing:
        config["db_id"] = self.database.id
        config["catalog"] = self.database.get_default_catalog()
        config["schema"] = self._schema({**config, "sql": config.get("sql") or " "})
        query = import_saved_query(config, overwrite=True)
        query.user = self.users.get(thing["user"])
        query.template_parameters = thing["template_parameters"]
        return query

    def _give(self, thing: dict[str, Any], made: Thing) -> None:
        """Whose it is, and what it is a part of."""
        if "owners" in thing:
            made.owners = [self.users[username] for username in thing["owners"]]
        if thing["kind"] == "dashboard":
            made.roles = [security_manager.find_role(role) for role in thing["roles"]]
            made.slices = [self.made[uuid] for uuid in thing["charts"]]
            kept = {UUID(uuid): domains for uuid, domains in thing["embedded"]}
            made.embedded = [embedded for embedded in made.embedded if embedded.uuid in kept]
            for uuid, domains in kept.items():
                embedded = next((it for it in made.embedded if it.uuid == uuid), None) or EmbeddedDashboard(uuid=uuid)
                embedded.allow_domain_list = domains
                if embedded not in made.embedded:
                    made.embedded.append(embedded)
        if thing["kind"] in FAVOURITES:
            name = FAVOURITES[thing["kind"]]
            users = [user.id for user in self.users.values()]
            db.session.execute(
                delete(FavStar).where(FavStar.class_name == name, FavStar.obj_id == made.id, FavStar.user_id.in_(users))
            )
            for username in thing["favourites"]:
                db.session.add(FavStar(class_name=name, obj_id=made.id, user_id=self.users[username].id))

    def _stamp(self, thing: dict[str, Any], made: Thing) -> None:
        """Past the models, which would note this moment."""
        values = {
            "created_on": _moment(thing["created_on"]),
            "created_by_fk": self._number(thing["created_by"]),
            "changed_on": _moment(thing["changed_on"]),
            "changed_by_fk": self._number(thing["changed_by"]),
        }
        if "last_saved_at" in thing:
            values["last_saved_at"] = _moment(thing["last_saved_at"])
            values["last_saved_by_fk"] = self._number(thing["last_saved_by"])
        table = MODELS[thing["kind"]].__table__
        db.session.execute(update(table).where(table.c.id == made.id).values(values))

    def _number(self, username: str | None) -> int | None:
        user = self.users.get(username)
        return user.id if user else None


def _is_content(tenant: str, uuid: str) -> bool:
    from superset_tenancy import names

    return uuid in {str(names.content_uuid(tenant, original)) for original in read_record(tenant).content}


def _called(thing: dict[str, Any]) -> str:
    return f'{thing["kind"]} "{thing["title"]}" ({thing["uuid"]})'


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
