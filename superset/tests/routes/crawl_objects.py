"""One object of every kind for each tenant, all with the tenant's id in their names, and objects to change and to delete."""

import json
import uuid
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask

from superset_tenancy import names
from world import Person, Tenant, adhoc, all_metadata, query_context

#: A number that no object has, and a text for no object.
NO_NUMBER = 2_000_000_000
NO_TEXT = "00000000-0000-4000-8000-000000000000"
#: What the charts ask: the customer whose name tells the tenant.
QUESTION = {"columns": ["customer"], "filters": [{"col": "customer", "op": "LIKE", "val": "canary%"}]}


@dataclass
class Thing:
    """How a request may name an object."""

    number: int = NO_NUMBER
    texts: tuple[str, ...] = (NO_TEXT,)


@dataclass
class Belongings:
    """The objects of one tenant by kind, and the words that only that tenant may read."""

    tenant: Tenant
    words: tuple[str, ...]
    things: dict[str, Thing] = field(default_factory=dict)

    def of(self, kind: str) -> Thing:
        return self.things.get(kind) or Thing()


class Maker:
    """Makes objects as a tenant's analyst, by the API where it has a route for them."""

    def __init__(self, app: Flask, tenant: Tenant, analyst: Person) -> None:
        self.app = app
        with all_metadata(app):
            from superset import security_manager

            roles = [security_manager.find_role(names.role_name(tenant.id, capability)) for capability in names.CAPABILITIES]
            self.roles = [role.id for role in roles]
        self.tenant = tenant
        self.analyst = analyst

    @contextmanager
    def _as_analyst(self):
        from superset import security_manager
        from superset.utils.core import override_user

        with all_metadata(self.app):
            user = security_manager.find_user(self.analyst.username)
        with self.app.app_context(), override_user(user):
            yield user

    def name(self, kind: str) -> str:
        return f"{kind} of {self.tenant.id} {uuid.uuid4().hex[:8]}"

    def dashboard(self) -> Thing:
        slug = f"slug-{self.tenant.id}-{uuid.uuid4().hex[:8]}"
        shown = {"slug": slug, "published": True, "roles": self.roles}
        number = self.analyst.create("dashboard", dashboard_title=self.name("Dashboard"), **shown)
        return Thing(number, (slug,))

    def chart(self) -> Thing:
        dataset = self.tenant.datasets["orders"]
        params = {"metric": adhoc("COUNT(*)"), "datasource": f"{dataset}__table", "viz_type": "big_number_total"}
        body = {"datasource_id": dataset, "datasource_type": "table", "viz_type": "big_number_total"}
        texts = {"params": json.dumps(params), "query_context": json.dumps(query_context(dataset, **QUESTION))}
        return Thing(self.analyst.create("chart", slice_name=self.name("Chart"), **body, **texts), ())

    def dataset(self) -> Thing:
        sql = f"SELECT customer, '{self.tenant.id}' AS whose FROM analytics.orders"
        body = {"database": self.tenant.database, "schema": "analytics", "sql": sql, "table_name": self.name("Dataset")}
        return Thing(self.analyst.create("dataset", **body), ())

    def saved_query(self) -> Thing:
        body = {"db_id": self.tenant.database, "sql": f"SELECT '{self.tenant.id}'", "schema": "analytics"}
        return Thing(self.analyst.create("saved_query", label=self.name("Query"), **body), ())

    def query(self) -> Thing:
        client_id = uuid.uuid4().hex[:10]
        answer = self.analyst.sql(self.tenant.database, f"SELECT '{self.tenant.id}' AS whose", client_id=client_id)
        assert answer.status_code == 200, answer.text
        return Thing(answer.json["query_id"], (client_id,))

    def _key(self, path: str, body: dict) -> Thing:
        answer = self.analyst.post(path, body)
        assert answer.status_code == 201, answer.text
        return Thing(texts=(answer.json["key"],))

    def filter_state(self, dashboard: int) -> Thing:
        return self._key(f"/api/v1/dashboard/{dashboard}/filter_state", {"value": json.dumps({"of": self.tenant.id})})

    def dashboard_permalink(self, dashboard: int) -> Thing:
        return self._key(f"/api/v1/dashboard/{dashboard}/permalink", {"dataMask": {"of": self.tenant.id}})

    def form_data(self, chart: int) -> Thing:
        dataset = self.tenant.datasets["orders"]
        form_data = json.dumps({"slice_id": chart, "datasource": f"{dataset}__table", "of": self.tenant.id})
        body = {"datasource_id": dataset, "datasource_type": "table", "chart_id": chart, "form_data": form_data}
        return self._key("/api/v1/explore/form_data", body)

    def explore_permalink(self, chart: int) -> Thing:
        dataset = f"{self.tenant.datasets['orders']}__table"
        body = {"formData": {"slice_id": chart, "datasource": dataset, "viz_type": "table", "of": self.tenant.id}}
        return self._key("/api/v1/explore/permalink", body)

    def rows(self, dashboard: int) -> dict[str, Thing]:
        """What only Superset's own code makes, or routes that are withheld."""
        from superset import db
        from superset.models.annotations import Annotation, AnnotationLayer
        from superset.models.core import CssTemplate
        from superset.models.sql_lab import TableSchema, TabState
        from superset.reports.models import ReportSchedule
        from superset.tags.models import ObjectType, Tag, TaggedObject, TagType

        with self._as_analyst() as user:
            layer = AnnotationLayer(name=self.name("Layer"))
            tag = Tag(name=self.name("Tag"), type=TagType.custom)
            tab = TabState(user_id=user.id, label=self.name("Tab"), database_id=self.tenant.database, sql=self.name("Text"))
            report = ReportSchedule(type="Report", name=self.name("Report"), crontab="0 0 1 1 *", dashboard_id=dashboard)
            made = {
                "annotation_layer": layer,
                "tag": tag,
                "tab": tab,
                "report": report,
                "css_template": CssTemplate(template_name=self.name("Style"), css=f"/* {self.tenant.id} */"),
                "annotation": Annotation(short_descr=self.name("Note"), layer=layer),
            }
            db.session.add_all(made.values())
            db.session.flush()
            made["table_schema"] = TableSchema(
                tab_state_id=tab.id, database_id=self.tenant.database, schema="analytics", table=self.name("Table")
            )
            db.session.add(made["table_schema"])
            db.session.add(TaggedObject(tag_id=tag.id, object_id=dashboard, object_type=ObjectType.dashboard))
            db.session.flush()
            things = {kind: Thing(row.id, (str(getattr(row, "name", None) or NO_TEXT),)) for kind, row in made.items()}
            db.session.commit()
        return things


def belongings(maker: Maker, display_name: str, platform: Person) -> Belongings:
    """Everything that a tenant can have."""
    from superset import db, security_manager
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database, Log
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice
    from superset.models.sql_lab import SavedQuery

    tenant = maker.tenant
    simple = ("dashboard", "chart", "dataset", "saved_query", "query")
    things: dict[str, Thing] = {kind: getattr(maker, kind)() for kind in simple}
    dashboard, chart = things["dashboard"].number, things["chart"].number
    assert maker.analyst.put(f"/api/v1/chart/{chart}", {"dashboards": [dashboard]}).status_code == 200
    things["filter_state"] = maker.filter_state(dashboard)
    things["dashboard_permalink"] = maker.dashboard_permalink(dashboard)
    things["form_data"] = maker.form_data(chart)
    things["explore_permalink"] = maker.explore_permalink(chart)
    things |= maker.rows(dashboard)
    answer = platform.post(f"/api/v1/dashboard/{dashboard}/embedded", {"allowed_domains": []})
    things["embedded"] = Thing(texts=(answer.json["result"]["uuid"],))
    models = {"database": Database, "dashboard": Dashboard, "chart": Slice, "dataset": SqlaTable, "saved_query": SavedQuery}
    with all_metadata(maker.app):
        for kind, model in models.items():
            number = tenant.database if kind == "database" else things[kind].number
            texts = things[kind].texts if kind in things else ()
            things[kind] = Thing(number, (*texts, str(db.session.get(model, number).uuid)))
        user = security_manager.find_user(maker.analyst.username)
        role = security_manager.find_role(names.role_name(tenant.id, "analyst"))
        log = db.session.query(Log).filter_by(user_id=user.id).first()
        things["user"], things["role"], things["log"] = (
            Thing(user.id, (user.username,)),
            Thing(role.id, (role.name,)),
            Thing(log.id),
        )
    things["column"] = Thing(texts=("customer",))
    things["schema"] = Thing(texts=(tenant.own_schema,))
    things["table"] = Thing(texts=("notes",))
    return Belongings(tenant, (tenant.id, tenant.value, display_name), things)


#: What is made anew for each request that may change or delete it.
REPLACEABLE: dict[str, Callable[[Maker, Belongings], Thing]] = {
    "dashboard": lambda maker, _own: maker.dashboard(),
    "chart": lambda maker, _own: maker.chart(),
    "dataset": lambda maker, _own: maker.dataset(),
    "saved_query": lambda maker, _own: maker.saved_query(),
    "form_data": lambda maker, own: maker.form_data(own.of("chart").number),
    "filter_state": lambda maker, own: maker.filter_state(own.of("dashboard").number),
}


def forget(app: Flask, since: dict[str, int]) -> None:
    """Deletes what has come into the metadata since, so that other tests find what they made."""
    from superset import db

    with all_metadata(app):
        for table in reversed(db.metadata.sorted_tables):
            if table.name in since:
                db.session.execute(table.delete().where(table.c.id > since[table.name]))
        db.session.commit()


def newest(app: Flask) -> dict[str, int]:
    """The highest number of each table."""
    from sqlalchemy import Integer, func, inspect, select
    from superset import db

    with all_metadata(app):
        there = set(inspect(db.engine).get_table_names())
        tables = [table for table in db.metadata.sorted_tables if table.name in there and "id" in table.c]
        numbered = [table for table in tables if isinstance(table.c.id.type, Integer)]
        return {table.name: db.session.scalar(select(func.max(table.c.id))) or 0 for table in numbered}


def content_of(app: Flask, belongings: Belongings) -> dict[str, Any]:
    """The tenant's rows, to see that nobody else changed them."""
    from superset import db
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice
    from superset.models.sql_lab import Query, SavedQuery

    found = {}
    with all_metadata(app):
        models = {"dashboard": Dashboard, "chart": Slice, "dataset": SqlaTable, "saved_query": SavedQuery, "query": Query}
        for kind, model in models.items():
            row = db.session.get(model, belongings.of(kind).number)
            found[kind] = row and {column.key: getattr(row, column.key) for column in model.__table__.columns}
            found[f"owners of {kind}"] = row and sorted(owner.id for owner in getattr(row, "owners", ()))
    return found
