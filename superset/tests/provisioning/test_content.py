"""The shared content: each tenant has its own copies over its own data; what a tenant makes of them is respected and reported."""

import io
import json
import zipfile
from collections import defaultdict
from uuid import uuid4

import pytest

from applying import CONTOSO, NORTHWIND, Content
from superset_tenancy import names
from superset_tenancy.metadata.tables import TENANT_TABLES
from world import PASSWORD, Person, rows

pytest_plugins = ["applying"]

ANALYST = {"tenant": "tk4q9w", "role": "analyst", "username": "mia", "email": "mia@x.example", "password": PASSWORD}
VIEWER = {**ANALYST, "role": "viewer", "username": "vic", "email": "vic@x.example"}
QUIET = "nothing to change: 2 tenants are as they should be"


class Tenant:
    """What one tenant has of the content."""

    def __init__(self, superset, tenant: dict) -> None:
        self.superset = superset
        self.id = tenant["id"]
        self.admin = Person(superset.app.test_client(), tenant["adminEmail"], f"admin of {self.id}")

    def number(self, content: Content, part: str) -> int:
        """The number of the copy of what is in the file."""
        table = {"datasets": "tables", "charts": "slices", "dashboards": "dashboards"}[content.path(part).split("/")[0]]
        uuid = str(names.content_uuid(self.id, content.file(part)["uuid"]))
        (number,) = self.superset.values(f"SELECT id FROM {table} WHERE uuid = %s", uuid)
        return number


@pytest.fixture
def content():
    return Content()


@pytest.fixture
def northwind(superset, content):
    superset.apply(NORTHWIND, CONTOSO, content=content)
    superset.add_users(ANALYST, VIEWER)
    return Tenant(superset, NORTHWIND)


class TestCopies:
    def test_each_tenant_sees_its_own_numbers(self, superset, content, servers, northwind):
        superset.add_users({**VIEWER, "tenant": "tz81mm", "username": "eve", "email": "eve@x.example"})
        for tenant, username in ((northwind, "vic"), (Tenant(superset, CONTOSO), "eve")):
            viewer = Person(superset.app.test_client(), username)
            dashboard, chart = tenant.number(content, "dashboards/"), tenant.number(content, "charts/Orders")
            listed = viewer.get("/api/v1/dashboard/").json["result"]
            assert [(found["id"], found["slug"]) for found in listed] == [(dashboard, f"orders-{tenant.id}")]
            (value,) = [found.value for found in servers.tenants if found.id == tenant.id]
            expected = servers.as_superuser("SELECT count(*) FROM analytics.orders WHERE tenant_id = %s", value)
            answer = viewer.chart_data(tenant.number(content, "/orders"), dashboard=dashboard, chart=chart, metrics=["orders"])
            assert rows(answer) == [{"orders": expected[0][0]}]

    def test_all_charts_run(self, superset, content, northwind):
        for part in content.files:
            if part.startswith("charts/"):
                answer = northwind.admin.get(f"/api/v1/chart/{northwind.number(content, part)}/data/")
                assert answer.status_code == 200 and answer.json["result"][0]["rowcount"] > 0, answer.text

    def test_the_filter_asks_the_tenants_own_dataset(self, superset, content, northwind):
        for tenant in (northwind, Tenant(superset, CONTOSO)):
            text = superset.values("SELECT json_metadata FROM dashboards WHERE id = %s", tenant.number(content, "dashboards/"))
            metadata = json.loads(text[0])
            product = metadata["native_filter_configuration"][0]
            assert product["targets"][0]["datasetId"] == tenant.number(content, "/orders")
            hidden = {tenant.number(content, part) for part in ("charts/Events", "charts/Latest")}
            assert set(product["scope"]["excluded"]) == hidden

    def test_nothing_of_a_copy_refers_to_what_it_was_made_from(self, superset, content, northwind):
        originals = [file["uuid"] for path, file in content.files.items() if path.split("/")[0] != "databases" and "uuid" in file]
        assert len(originals) == 12
        dump = "\n".join(row for table in ("tables", "slices", "dashboards") for row in superset.dump()[table])
        assert not [uuid for uuid in originals if uuid in dump]

    def test_a_table_of_the_tenants_own_schema_is_each_tenants_own(self, superset, northwind):
        found = superset.rows("SELECT schema, catalog FROM tables WHERE table_name = 'notes' ORDER BY 1")
        assert found == [("tenant_tk4q9w", ""), ("tenant_tz81mm", "")]

    def test_a_tenants_administrator_may_change_it_and_its_analyst_may_not(self, superset, content, northwind):
        path = f"/api/v1/dashboard/{northwind.number(content, 'dashboards/')}"
        analyst = Person(superset.app.test_client(), "mia")
        assert analyst.put(path, {"dashboard_title": "Mine"}).status_code == 403
        assert northwind.admin.put(path, {"dashboard_title": "Mine"}).status_code == 200

    def test_a_second_administrator_may_change_it_too(self, superset, content, northwind):
        superset.add_users({**ANALYST, "role": "admin", "username": "second", "email": "second@x.example"})
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert "tenant tk4q9w: the shared content given to its administrator second" in said
        second = Person(superset.app.test_client(), "second")
        path = f"/api/v1/chart/{northwind.number(content, 'charts/Orders')}"
        assert second.put(path, {"slice_name": "Mine"}).status_code == 200


class TestCapabilities:
    """What the permissions come to, asked of Superset's API."""

    def test_a_viewer_sees_dashboards_and_their_data_and_nothing_else(self, superset, content, northwind):
        viewer = Person(superset.app.test_client(), "vic")
        dashboard, chart, dataset = (northwind.number(content, part) for part in ("dashboards/", "charts/Orders", "/orders"))
        shown = {"dashboard": dashboard, "chart": chart, "metrics": ["orders"]}
        assert viewer.chart_data(dataset, result_format="csv", **shown).text.startswith("Orders")
        assert viewer.chart_data(dataset, metrics=["orders"]).status_code == 403
        for path in ("database/", "dataset/", "query/", "saved_query/", "sqllab/", f"explore/?slice_id={chart}"):
            assert viewer.get(f"/api/v1/{path}").status_code == 403, path
        assert viewer.sql(1, "SELECT 1").status_code == 403
        for kind in ("chart", "dashboard", "dataset"):
            assert viewer.post(f"/api/v1/{kind}/", {}).status_code == 403

    @pytest.mark.parametrize("username", ["vic", "mia", "ada@northwind.example"])
    def test_nobody_of_a_tenant_reaches_what_is_the_platforms_or_all_tenants(self, superset, northwind, username):
        password = {"ada@northwind.example": "admin of tk4q9w"}.get(username, PASSWORD)
        person = Person(superset.app.test_client(), username, password)
        for path in ("rowlevelsecurity/", "log/"):
            assert person.get(f"/api/v1/{path}").status_code == 403, path
        for path in ("annotation_layer/", "assets/export/", "_openapi"):
            assert person.get(f"/api/v1/{path}").status_code == 404, path
        for path in ("security/guest_token/", "css_template/"):
            assert person.post(f"/api/v1/{path}", {}).status_code == 403, path
        for path in ("database/", "cachekey/invalidate", "assets/import/", "theme/"):
            assert person.post(f"/api/v1/{path}", {}).status_code == 404, path


class TestVersions:
    def test_a_new_version_reaches_every_tenant(self, superset, content, northwind):
        content.file("charts/Orders")["slice_name"] = "Number of orders"
        content.file("/orders")["metrics"].append({"metric_name": "largest", "expression": "MAX(amount)"})
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert [line for line in said if line.startswith("tenant")] == [
            f"tenant {tenant}: {thing} updated"
            for tenant in ("tk4q9w", "tz81mm")
            for thing in ('dataset "orders"', 'chart "Number of orders"')
        ]
        assert superset.values("SELECT count(*) FROM slices WHERE slice_name = 'Number of orders'") == [2]
        assert superset.values("SELECT count(*) FROM sql_metrics WHERE metric_name = 'largest'") == [2]
        assert superset.apply(NORTHWIND, CONTOSO, content=content)[-1] == QUIET

    def test_what_a_tenant_made_itself_is_left_alone(self, superset, content, northwind):
        analyst = Person(superset.app.test_client(), "mia")
        dataset, dashboard = northwind.number(content, "/orders"), northwind.number(content, "dashboards/")
        chart = analyst.create("chart", slice_name="Mine", viz_type="table", datasource_id=dataset, datasource_type="table")
        superset.rows("INSERT INTO dashboard_slices (id, dashboard_id, slice_id) VALUES (10000, %s, %s)", dashboard, chart)
        before = superset.rows("SELECT * FROM slices WHERE id = %s", chart)
        content.file("dashboards/")["dashboard_title"] = "All orders"
        content.file("/orders")["description"] = "New"
        superset.apply(NORTHWIND, CONTOSO, content=content)
        assert superset.rows("SELECT * FROM slices WHERE id = %s", chart) == before
        assert chart in superset.values("SELECT slice_id FROM dashboard_slices WHERE dashboard_id = %s", dashboard)

    def test_what_a_tenant_has_changed_is_reported_and_stays(self, superset, content, northwind):
        northwind.admin.put(f"/api/v1/chart/{northwind.number(content, 'charts/Orders')}", {"slice_name": "Mine"})
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        changed = 'chart "Orders" was changed by the tenant (ada@northwind.example); it stays so until its next version'
        assert said[-2:] == [f"tenant tk4q9w: {changed}", QUIET]
        assert superset.values("SELECT count(*) FROM slices WHERE slice_name = 'Mine'") == [1]

    def test_a_new_version_overwrites_what_a_tenant_has_changed_and_says_so(self, superset, content, northwind):
        northwind.admin.put(f"/api/v1/chart/{northwind.number(content, 'charts/Orders')}", {"slice_name": "Mine"})
        content.file("charts/Orders")["description"] = "New"
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        overwritten = "this overwrites what the tenant had changed (ada@northwind.example)"
        assert f'tenant tk4q9w: chart "Orders" updated; {overwritten}' in said
        assert 'tenant tz81mm: chart "Orders" updated' in said
        assert not superset.values("SELECT 1 FROM slices WHERE slice_name = 'Mine'")
        again = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert again[-1] == QUIET and not any("changed" in line for line in again[:-1])

    def test_a_change_is_not_forgotten_when_the_tenant_is_renamed_or_away_for_a_while(self, superset, content, northwind):
        northwind.admin.put(f"/api/v1/chart/{northwind.number(content, 'charts/Orders')}", {"slice_name": "Mine"})
        renamed = {**NORTHWIND, "displayName": "Southwind"}
        for tenants in ((renamed, CONTOSO), (CONTOSO,), (renamed, CONTOSO)):
            said = superset.apply(*tenants, content=content)
        assert any('chart "Orders" was changed by the tenant (ada@northwind.example)' in line for line in said)

    def test_looking_at_a_dashboard_does_not_change_it(self, superset, content, northwind):
        """Superset writes the colours of what it showed into the dashboard of whoever may edit it."""
        path = f"/api/v1/dashboard/{northwind.number(content, 'dashboards/')}/colors?mark_updated=false"
        assert northwind.admin.put(path, {"shared_label_colors": ["chair"]}).status_code == 200
        assert superset.apply(NORTHWIND, CONTOSO, content=content)[-1:] == [QUIET]

    def test_a_dashboard_that_a_role_lost_is_reported(self, superset, content, northwind):
        dashboard = northwind.number(content, "dashboards/")
        northwind.admin.put(f"/api/v1/dashboard/{dashboard}", {"roles": []})
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert any('dashboard "Orders" was changed by the tenant' in line and "its roles" in line for line in said)

    def test_what_a_tenant_has_deleted_comes_back_with_the_next_version(self, superset, content, northwind):
        chart = northwind.number(content, "charts/Orders")
        assert northwind.admin.delete(f"/api/v1/chart/{chart}").status_code == 200
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert any('chart "Orders" was deleted by the tenant' in line for line in said)
        content.file("charts/Average")["description"] = "New"
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        # The dashboard refers to the chart's number, which is another now.
        for line in ('chart "Orders" created', 'dashboard "Orders" updated'):
            assert f"tenant tk4q9w: {line}" in said
        assert northwind.number(content, "charts/Orders") != chart
        assert superset.apply(NORTHWIND, CONTOSO, content=content)[-1] == QUIET

    def test_what_is_no_longer_in_the_bundle_stays_with_the_tenant(self, superset, content, northwind):
        position = content.file("dashboards/")["position"]
        del position["CHART-notes"], position["ROW-4"]
        position["GRID_ID"]["children"].remove("ROW-4")
        content.file("dashboards/")["metadata"]["native_filter_configuration"][0]["scope"]["excluded"] = []
        for part in ("charts/Latest", "/notes"):
            del content.files[content.path(part)]
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        left = "left to the tenant: it is no longer in the content"
        assert f'tenant tk4q9w: chart "Latest notes" {left}' in said and f'tenant tk4q9w: dataset "notes" {left}' in said
        assert superset.values("SELECT count(*) FROM slices WHERE slice_name = 'Latest notes'") == [2]
        assert superset.apply(NORTHWIND, CONTOSO, content=content)[-1] == QUIET

    def test_no_content_at_all_leaves_all_of_it_to_the_tenants(self, superset, content, northwind):
        said = superset.apply(NORTHWIND, CONTOSO)
        assert sum("left to the tenant" in line for line in said) == 24
        assert superset.values("SELECT count(*) FROM dashboards") == [2]
        assert superset.apply(NORTHWIND, CONTOSO)[-1] == QUIET

    def test_a_dataset_that_a_tenant_has_already_becomes_the_shared_one(self, superset, content):
        """Superset has room for one dataset per table."""
        superset.apply(NORTHWIND, CONTOSO)
        admin = Tenant(superset, NORTHWIND).admin
        database = superset.values("SELECT id FROM dbs WHERE uuid = %s", str(names.database_uuid("tk4q9w")))[0]
        own = admin.create("dataset", database=database, schema="analytics", table_name="orders")
        metric = {"metric_name": "mine", "expression": "MIN(amount)"}
        assert admin.put(f"/api/v1/dataset/{own}", {"metrics": [metric]}).status_code == 200
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert any('dataset "orders" updated; it was the tenant\'s own' in line for line in said)
        assert Tenant(superset, NORTHWIND).number(content, "/orders") == own
        metrics = superset.values("SELECT metric_name FROM sql_metrics WHERE table_id = %s", own)
        assert {"mine", "revenue"} <= set(metrics)
        assert superset.apply(NORTHWIND, CONTOSO, content=content)[-1] == QUIET

    @pytest.mark.parametrize("is_seen", [False, True])
    def test_a_slug_that_somebody_else_has_taken_is_not_fought_over(self, superset, content, is_seen):
        """Otherwise a tenant could be given content on a dashboard that another owns."""
        superset.apply(NORTHWIND, CONTOSO)
        own = Tenant(superset, NORTHWIND).admin.create("dashboard", dashboard_title="Trap", slug="orders-tz81mm")
        if is_seen:
            without_row_security(superset)
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert any('since another dashboard has the slug "orders-tz81mm"' in line for line in said) == is_seen
        assert superset.rows("SELECT dashboard_title, slug FROM dashboards WHERE id = %s", own) == [("Trap", "orders-tz81mm")]
        copy = Tenant(superset, CONTOSO).number(content, "dashboards/")
        assert copy != own
        (slug,) = superset.values("SELECT slug FROM dashboards WHERE id = %s", copy)
        assert slug.startswith("orders-tz81mm-") if is_seen else slug == "orders-tz81mm"


def without_row_security(superset) -> None:
    """As if the provisioner saw the things of all tenants while it works for one."""
    for table in TENANT_TABLES:
        superset.rows(f"CREATE POLICY test_open ON {table.name} TO superset_provisioner USING (true)")


class TestTakenInAdvance:
    """What another tenant or the platform has made under the UUID of a future copy is not given to the tenant."""

    @pytest.fixture(params=["datasets/", "charts/Orders", "dashboards/"])
    def part(self, content, request):
        return {"datasets/": "/orders"}.get(request.param, request.param)

    @staticmethod
    def make(person, content, part, database):
        dataset = person.create("dataset", database=database, schema="analytics", table_name="trap", sql="SELECT 1 AS n")
        kind = content.path(part).split("/")[0]
        if kind == "datasets":
            return dataset
        if kind == "charts":
            return person.create("chart", slice_name="Trap", datasource_id=dataset, datasource_type="table", viz_type="table")
        return person.create("dashboard", dashboard_title="Trap")

    @pytest.mark.parametrize("is_seen", [False, True])
    def test_the_tenant_gets_a_copy_of_its_own_and_the_other_keeps_its_thing(self, superset, content, part, is_seen):
        superset.apply(NORTHWIND, CONTOSO)
        taker = Tenant(superset, NORTHWIND).admin
        (database,) = superset.values("SELECT id FROM dbs WHERE uuid = %s", str(names.database_uuid("tk4q9w")))
        uuid = str(names.content_uuid("tz81mm", content.file(part)["uuid"]))
        taken = self.make(taker, content, part, database)
        table = {"datasets": "tables", "charts": "slices", "dashboards": "dashboards"}[content.path(part).split("/")[0]]
        # As if the API had let the user choose it.
        superset.rows(f"UPDATE {table} SET uuid = %s WHERE id = %s", uuid, taken)
        before = superset.rows(f"SELECT t::text FROM {table} t WHERE id = %s", taken)
        if is_seen:
            without_row_security(superset)
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert any(f"{taken} (of tenant tk4q9w) has the UUID of this tenant's copy" in line for line in said) == is_seen, said
        assert superset.rows(f"SELECT t::text FROM {table} t WHERE id = %s", taken) == before
        admin = Tenant(superset, CONTOSO).admin
        kind = {"tables": "dataset", "slices": "chart", "dashboards": "dashboard"}[table]
        listed = sorted(found["id"] for found in admin.get(f"/api/v1/{kind}/").json["result"])
        assert listed and taken not in listed
        assert all(admin.get(f"/api/v1/{kind}/{number}").status_code == 200 for number in listed)
        assert superset.apply(NORTHWIND, CONTOSO, content=content)[-1] == QUIET
        content.file("charts/Orders")["slice_name"] = "Number of orders"
        said = superset.apply(NORTHWIND, CONTOSO, content=content)
        assert 'tenant tz81mm: chart "Number of orders" updated' in said
        assert sorted(found["id"] for found in admin.get(f"/api/v1/{kind}/").json["result"]) == listed

    @pytest.mark.parametrize("kind", ["chart", "dashboard", "dataset"])
    def test_a_uuid_of_shared_content_cannot_be_chosen(self, superset, kind):
        superset.apply(NORTHWIND, CONTOSO)
        superset.add_users(ANALYST)
        analyst = Person(superset.app.test_client(), "mia")
        (database,) = superset.values("SELECT id FROM dbs WHERE uuid = %s", str(names.database_uuid("tk4q9w")))
        dataset = analyst.create("dataset", database=database, schema="analytics", table_name="orders")
        body = {
            "chart": {"slice_name": "Trap", "datasource_id": dataset, "datasource_type": "table"},
            "dashboard": {"dashboard_title": "Trap"},
            "dataset": {"database": database, "schema": "analytics", "table_name": "events"},
        }[kind]
        refused = analyst.post(f"/api/v1/{kind}/", {**body, "uuid": str(names.content_uuid("tz81mm", str(uuid4())))})
        assert refused.status_code == 400 and "reserved for shared content" in refused.text, refused.text
        assert analyst.post(f"/api/v1/{kind}/", {**body, "uuid": str(uuid4())}).status_code == 201


class TestRefusal:
    """A bundle that is not right is refused before anything is touched."""

    def change_version(content):
        content.file("metadata")["version"] = "2.0.0"

    def change_type(content):
        content.file("metadata")["type"] = "Database"

    def drop_metadata(content):
        del content.files["metadata.yaml"]

    def break_yaml(content):
        content.files[content.path("charts/Orders")] = "slice_name: [unclosed"

    def add_alias(content):
        content.files[content.path("charts/Orders")] = "a: &a [x, x]\nb: [*a, *a]"

    def add_python(content):
        content.files[content.path("charts/Orders")] = "!!python/object/apply:os.system ['true']"

    def add_field(content):
        content.file("charts/Orders")["database_id"] = 7

    def drop_field(content):
        del content.file("/orders")["table_name"]

    def add_database(content):
        content.files["databases/other.yaml"] = {**content.file("databases/"), "uuid": "5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01"}

    def drop_database(content):
        del content.files[content.path("databases/")]

    def add_password(content):
        content.file("databases/")["sqlalchemy_uri"] = "postgresql://user:secret@host/db"

    def add_tunnel(content):
        content.file("databases/")["ssh_tunnel"] = {"server_address": "x"}

    def use_mysql(content):
        content.file("databases/")["sqlalchemy_uri"] = "mysql://user@host/db"

    def point_to_other_database(content):
        content.file("/orders")["database_uuid"] = "5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01"

    def point_to_other_catalog(content):
        content.file("/orders")["catalog"] = "postgres"

    def point_to_other_tenants_schema(content):
        content.file("/orders")["schema"] = "tenant_tz81mm"

    def load_from_url(content):
        content.file("/orders")["data"] = "https://example.com/rows.csv"

    def write_in_sql(content):
        content.file("/orders")["sql"] = "DELETE FROM orders"

    def write_jinja(content):
        content.file("/orders")["sql"] = "SELECT * FROM orders WHERE customer = '{{ current_username() }}'"

    def write_jinja_in_metric(content):
        content.file("/orders")["metrics"][0] |= {"metric_name": "orders", "expression": "count({{ 1 }})"}

    def read_public(content):
        content.file("/orders")["sql"] = "SELECT * FROM public.orders"

    def be_in_public(content):
        content.file("/orders")["schema"] = "public"

    def name_schema_in_sql(content):
        content.file("/orders")["sql"] = "SELECT * FROM tenant_tk4q9w.notes"

    def drop_dataset(content):
        del content.files[content.path("/events")]

    def drop_chart(content):
        del content.files[content.path("charts/Orders")]

    def point_filter_elsewhere(content):
        filters = content.file("dashboards/")["metadata"]["native_filter_configuration"]
        filters[0]["targets"][0]["datasetUuid"] = "5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01"

    def speak_of_other_charts(content):
        content.file("dashboards/")["metadata"]["timed_refresh_immune_slices"] = [4711]

    def use_theme(content):
        content.file("dashboards/")["theme_uuid"] = "5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01"

    def add_theme(content):
        content.files["themes/x.yaml"] = {"theme_name": "x"}

    def use_uuid_twice(content):
        content.file("charts/Orders")["uuid"] = content.file("charts/Average")["uuid"]

    @pytest.mark.parametrize(
        ("change", "problem"),
        [
            (change_version, "metadata.yaml: version is '2.0.0'"),
            (change_type, "metadata.yaml: type is 'Database'"),
            (drop_metadata, "has no metadata.yaml"),
            (break_yaml, "charts/Orders_2.yaml: is not YAML"),
            (add_alias, "charts/Orders_2.yaml: is not YAML: has an alias"),
            (add_python, "charts/Orders_2.yaml: is not YAML: could not determine a constructor"),
            (add_field, 'charts/Orders_2.yaml: {"database_id": ["Unknown field."]}'),
            (drop_field, '/orders_1.yaml: {"table_name": ["Missing data for required field."]}'),
            (add_database, "must be made over one database"),
            (drop_database, "it has none"),
            (add_password, "holds a password, a key or a tunnel"),
            (add_tunnel, "holds a password, a key or a tunnel"),
            (use_mysql, "is a mysql database"),
            (point_to_other_database, "orders_1.yaml: is over another database"),
            (point_to_other_catalog, "orders_1.yaml: is in the catalog postgres"),
            (point_to_other_tenants_schema, "orders_1.yaml: is in the schema tenant_tz81mm"),
            (load_from_url, "orders_1.yaml: loads its rows from a URL"),
            (write_in_sql, "orders_1.yaml: its SQL is refused: DELETE is not allowed"),
            (write_jinja, "orders_1.yaml: its SQL has a Jinja template"),
            (write_jinja_in_metric, "orders_1.yaml: its metric orders has a Jinja template"),
            (read_public, "orders_1.yaml: its SQL reads from the schema public, which has no tables of tenants"),
            (be_in_public, "orders_1.yaml: is in the schema public, which has no tables of tenants"),
            (name_schema_in_sql, "orders_1.yaml: its SQL names tenant_tk4q9w"),
            (drop_dataset, "charts/Events_by_day_7.yaml: its dataset"),
            (drop_chart, "dashboards/Orders_1.yaml: its chart Orders is not in the bundle"),
            (point_filter_elsewhere, "dashboards/Orders_1.yaml: a filter asks the dataset"),
            (speak_of_other_charts, "dashboards/Orders_1.yaml: its settings speak of what is not in the bundle"),
            (use_theme, "dashboards/Orders_1.yaml: has a theme"),
            (add_theme, "themes/x.yaml: cannot be given to tenants"),
            (use_uuid_twice, "is that of another file, too"),
        ],
    )
    def test_what_is_wrong_is_named(self, content, change, problem):
        from superset_tenancy.provisioning.bundle import read_bundle
        from superset_tenancy.provisioning.changes import Refused

        change(content)
        with pytest.raises(Refused) as refused:
            read_bundle("content.zip", content.zip())
        assert problem in "\n".join(refused.value.problems), refused.value.problems

    def test_all_that_is_wrong_is_named_at_once_and_nothing_is_touched(self, superset, content):
        content.file("/orders")["catalog"] = "postgres"
        content.file("/events")["data"] = "https://example.com/rows.csv"
        content.file("dashboards/")["theme_uuid"] = "5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01"
        refused = superset.refused(NORTHWIND, {**CONTOSO, "id": "tk4q9w"}, content=content)
        for problem in ("catalog postgres", "from a URL", "has a theme", "tenant tk4q9w is there twice"):
            assert problem in refused

    @pytest.mark.parametrize(
        ("paths", "problem"),
        [
            ({"b/../../etc/x.yaml": b"a: 1"}, "a path that leads out of it"),
            ({"b/metadata.yaml": b"a: 1", "c/metadata.yaml": b"a: 1"}, "more than one directory"),
            ({"b/large.yaml": b"a" * (6 * 1024 * 1024)}, "b/large.yaml: is larger than"),
            ({f"b/{number}.yaml": b"" for number in range(2001)}, "is too large"),
            ({"b/metadata.yaml": b"\xff\xfe\x00"}, "is not YAML"),
            ({"b/readme.txt": b"hello"}, "readme.txt: is not of Superset's export"),
        ],
    )
    def test_a_zip_file_that_superset_did_not_write(self, paths, problem):
        from superset_tenancy.provisioning.bundle import read_bundle
        from superset_tenancy.provisioning.changes import Refused

        written = io.BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in paths.items():
                archive.writestr(path, content)
        with pytest.raises(Refused, match=problem):
            read_bundle("content.zip", written.getvalue())

    def test_what_is_no_zip_file(self):
        from superset_tenancy.provisioning.bundle import read_bundle
        from superset_tenancy.provisioning.changes import Refused

        for broken in (b"", b"no zip", Content().zip()[:-200]):
            with pytest.raises(Refused, match="is no zip file"):
                read_bundle("content.zip", broken)

    def test_a_bundle_of_another_superset_is_as_good(self, content):
        """With a password that the export has masked, a catalog that is its own database, and the login's own schema."""
        from superset_tenancy.provisioning.bundle import read_bundle

        content.file("databases/").update(
            sqlalchemy_uri="postgresql://tenant_dev:XXXXXXXXXX@host/warehouse", uuid="5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01"
        )
        for part in ("/orders", "/events", "/notes"):
            content.file(part).update(catalog="warehouse", database_uuid="5f1b0a6e-7b6e-4e53-9f6f-3c6f0f1f0a01")
        content.file("/notes")["schema"] = "tenant_dev"
        bundle = read_bundle("content.zip", content.zip())
        (notes,) = [thing for thing in bundle.objects if thing.title == "notes"]
        assert bundle.of_tenant(notes, "tz81mm", defaultdict(uuid4))["schema"] == "tenant_tz81mm"
