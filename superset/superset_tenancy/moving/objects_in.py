"""What a tenant had in Superset, from a dump: by Superset's own import, over the tenant's Database here, with new numbers.

All of it is one transaction. UUIDs stay, so that what is here already, as the shared content is, becomes what it was there. Whose
a thing is, who changed it and when come along. What stands in the way was looked at before (`arrival.py`).
"""

import copy
import json
from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.exc import SQLAlchemyError
from superset import db, security_manager
from superset.commands.chart.importers.v1.utils import import_chart
from superset.commands.dashboard.importers.v1.utils import import_dashboard, update_id_refs
from superset.commands.dataset.importers.v1.utils import import_dataset
from superset.commands.query.importers.v1.utils import import_saved_query
from superset.commands.utils import update_chart_config_dataset
from superset.connectors.sqla.models import RowLevelSecurityFilter
from superset.exceptions import SupersetException
from superset.models.core import FavStar, Theme
from superset.models.dashboard import Dashboard
from superset.models.embedded_dashboard import EmbeddedDashboard

from superset_tenancy import names
from superset_tenancy.moving.arrival import person_of, refuse_what_cannot_come
from superset_tenancy.moving.comparison import differences
from superset_tenancy.moving.objects import FAVOURITES, MODELS, TITLES, Thing, counted, given_to, people_of, rules_of, things_of
from superset_tenancy.moving.sessions import Place
from superset_tenancy.moving.stopped import Stopped
from superset_tenancy.provisioning.apply import alone, reason
from superset_tenancy.provisioning.changes import Refused
from superset_tenancy.provisioning.content import as_datasource, forget_scopes, forget_source
from superset_tenancy.provisioning.databases import find_database
from superset_tenancy.provisioning.records import read_record, write_record
from superset_tenancy.provisioning.users import KnownUsers


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
        try:
            refuse_what_cannot_come(tenant, description, replace)
            _Arrival(tenant, place, own_tables, description, files).make(replace, say)
            if found := differences(tenant, description):
                raise Stopped("; ".join(found))
            db.session.commit()
        except (Refused, SQLAlchemyError, SupersetException) as error:
            # Without the parameters of a statement, among which are people's passwords.
            raise Stopped(reason(error)) from None
        finally:
            db.session.rollback()
    kinds = [thing["kind"] for thing in description["things"]]
    say(f"Superset: {counted(kinds)} and {len(description['people'])} users imported and verified")


class _Arrival:
    """What becomes of the description here."""

    def __init__(
        self, tenant: str, place: Place, own_tables: set[str], description: dict[str, Any], files: dict[str, dict[str, Any]]
    ) -> None:
        self.tenant = tenant
        self.place = place
        self.own_tables = own_tables
        self.description = description
        self.files = files
        self.database = find_database(tenant)
        self.before = things_of(tenant)
        self.made: dict[str, Thing] = {}
        self.users: dict[str, Any] = {}

    def make(self, replace: bool, say: Callable[[str], None]) -> None:
        self._make_people()
        if replace:
            self._remove_what_is_gone(say)
        for thing in self.description["things"]:
            config = copy.deepcopy(self.files[thing["uuid"]])
            self.made[thing["uuid"]] = getattr(self, f"_make_{thing['kind']}")(thing, config)
            db.session.flush()
        for thing in self.description["things"]:
            self._give(thing, self.made[thing["uuid"]])
        for rule in self.description["rules"]:
            self._make_rule(rule)
        record = read_record(self.tenant)
        record.content |= self.description["content"]
        write_record(self.tenant, record)
        db.session.flush()
        # Last: each write of a model before would note this moment.
        for thing in self.description["things"]:
            self._stamp(thing, self.made[thing["uuid"]])
        db.session.expire_all()

    def _make_people(self) -> None:
        known = KnownUsers(person_of(self.tenant, person) for person in self.description["people"])
        for person in self.description["people"]:
            (user,) = known.of(person_of(self.tenant, person)) or (security_manager.user_model(),)
            for name in ("username", "email", "first_name", "last_name", "active", "password"):
                setattr(user, name, person[name])
            platforms = [role for role in user.roles if names.tenant_of_role(role.name) is None]
            user.roles = [*platforms, *(security_manager.find_role(role) for role in person["roles"])]
            db.session.add(user)
            self.users[person["username"]] = user
        db.session.flush()

    def _remove_what_is_gone(self, say: Callable[[str], None]) -> None:
        kept = given_to(self.tenant) | {thing["uuid"] for thing in self.description["things"]}
        for kind in reversed(MODELS):
            for thing in self.before[kind]:
                if str(thing.uuid) not in kept:
                    say(f'{kind} "{getattr(thing, TITLES[kind])}" removed: the tenant no longer has it')
                    db.session.delete(thing)
        named = {rule["name"] for rule in self.description["rules"]}
        for rule in rules_of(self.before):
            rule.tables = [dataset for dataset in rule.tables if rule.name in named or dataset not in self.before["dataset"]]
        for user in people_of(self.tenant):
            if user.username not in self.users:
                user.roles = [role for role in user.roles if names.tenant_of_role(role.name) != self.tenant]
                # Somebody with another role is somebody else's, too.
                user.active = user.active and bool(user.roles)
                done = "lost its role" if user.active else "deactivated"
                say(f"user {user.username} {done}: the tenant no longer has that user")
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
        theme = config.pop("theme_uuid", None)
        config["theme_id"] = db.session.query(Theme.id).filter_by(uuid=UUID(theme)).scalar() if theme else None
        dashboard: Dashboard = import_dashboard(config, overwrite=True, ignore_permissions=True)
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

    def _make_rule(self, described: dict[str, Any]) -> None:
        rule = db.session.query(RowLevelSecurityFilter).filter_by(name=described["name"]).one_or_none()
        if rule is None:
            rule = RowLevelSecurityFilter(name=described["name"])
            db.session.add(rule)
        for name in ("description", "filter_type", "group_key", "clause"):
            setattr(rule, name, described[name])
        rule.roles = [security_manager.find_role(role) for role in described["roles"]]
        rule.tables = [self.made[uuid] for uuid in described["datasets"]]

    def _stamp(self, thing: dict[str, Any], made: Thing) -> None:
        """When it was made and changed, and by whom: past the models, which would note this moment."""
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


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
