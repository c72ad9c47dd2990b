"""What a tenant's people read through Superset is their own, whatever they ask for."""

import pytest

from world import all_metadata, rows


class TestOwnRows:
    def test_chart(self, me):
        assert rows(me.analyst.chart_data(me.datasets["orders"])) == [{"n": me.orders}]

    def test_saved_chart(self, me):
        assert rows(me.analyst.get(f"/api/v1/chart/{me.chart}/data/")) == [{"n": me.orders}]

    def test_sql_lab(self, me):
        assert rows(me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders")) == [{"n": me.orders}]

    def test_csv(self, me):
        answer = me.analyst.chart_data(me.datasets["orders"], result_format="csv")
        assert answer.text.split() == ["n", str(me.orders)]

    def test_dashboard_of_a_viewer(self, me):
        answer = me.viewer.chart_data(me.datasets["orders"], dashboard=me.dashboard, chart=me.chart)
        assert rows(answer) == [{"n": me.orders}]

    @pytest.mark.parametrize("table", ["orders", "events", "notes"])
    def test_tables_of_each_strategy_hold_own_rows_only(self, me, table, servers):
        schema = f"tenant_{me.id}" if table == "notes" else "analytics"
        own = "" if table == "notes" else f" WHERE tenant_id = '{me.value}'"
        (expected,) = servers.as_superuser(f"SELECT count(*) FROM {schema}.{table}{own}")
        assert rows(me.analyst.chart_data(me.datasets[table])) == [{"n": expected[0]}]


class TestForeignThings:
    def test_dataset(self, me, other):
        assert me.analyst.chart_data(other.datasets["orders"]).status_code in (403, 404)

    def test_chart(self, me, other):
        assert me.analyst.get(f"/api/v1/chart/{other.chart}").status_code == 404

    def test_chart_data(self, me, other):
        assert me.analyst.get(f"/api/v1/chart/{other.chart}/data/").status_code in (403, 404)

    def test_dashboard(self, me, other):
        for path in ("", "/charts", "/datasets"):
            assert me.analyst.get(f"/api/v1/dashboard/{other.dashboard}{path}").status_code in (403, 404)

    def test_database(self, me, other):
        assert me.analyst.get(f"/api/v1/database/{other.database}").status_code == 404
        answer = me.analyst.sql(other.database, "SELECT count(*) AS n FROM orders")
        assert answer.status_code == 404 and "does not exist, or is not your account's" in answer.text, answer.text

    def test_schema(self, me, other):
        answer = me.analyst.sql(me.database, f"SELECT count(*) FROM tenant_{other.id}.notes")
        assert answer.status_code == 403 and "it belongs to the platform or to another account" in answer.text, answer.text

    def test_listings(self, me, other):
        for kind, own in (("database", me.database), ("dashboard", me.dashboard), ("chart", me.chart)):
            listed = me.analyst.get(f"/api/v1/{kind}/?q=(page_size:100)").json
            assert own in listed["ids"] and all(str(getattr(other, kind)) != str(id) for id in listed["ids"])

    def test_chart_on_a_foreign_dataset_cannot_be_made(self, me, other):
        body = {
            "slice_name": "theirs",
            "viz_type": "table",
            "datasource_id": other.datasets["orders"],
            "datasource_type": "table",
            "params": "{}",
        }
        answer = me.analyst.post("/api/v1/chart/", body)
        # It is hidden, or where it is not, refused by name.
        hidden = answer.status_code == 422 and "Datasource does not exist" in answer.text
        assert hidden or (answer.status_code == 404 and "your account has no dataset" in answer.text), answer.text

    def test_dashboard_without_data(self, me, other):
        """Superset shows a dashboard that has no charts to everybody who knows its number."""
        id = other.analyst.create("dashboard", dashboard_title=f"Text of {other.id}", published=True)
        try:
            assert other.analyst.get(f"/api/v1/dashboard/{id}").status_code == 200
            assert me.analyst.get(f"/api/v1/dashboard/{id}").status_code in (403, 404)
        finally:
            other.analyst.delete(f"/api/v1/dashboard/{id}")

    def test_dashboard_that_was_given_to_the_wrong_role(self, me, other, platform, app):
        from superset import security_manager

        with all_metadata(app):
            role = security_manager.find_role(f"tenant:{me.id}:viewer").id
        path = f"/api/v1/dashboard/{other.dashboard}"
        before = [role["id"] for role in platform.get(path).json["result"]["roles"]]
        assert platform.put(path, {"roles": [*before, role]}).status_code == 200
        try:
            assert me.viewer.get(path).status_code in (403, 404)
            answer = me.viewer.chart_data(other.datasets["orders"], dashboard=other.dashboard, chart=other.chart)
            assert answer.status_code != 200, answer.text
        finally:
            platform.put(path, {"roles": before})

    def test_people_and_roles_to_choose_from(self, me, other):
        for kind, thing in (("dashboard", "owners"), ("chart", "owners"), ("dataset", "owners"), ("dashboard", "roles")):
            answer = me.analyst.get(f"/api/v1/{kind}/related/{thing}")
            assert answer.status_code == 200 and other.id not in answer.text, answer.text
            assert not {"Admin", "Alpha", "P A"} & {entry["text"] for entry in answer.json["result"]}, answer.text

    def test_schemas_to_choose_from(self, me):
        answer = me.analyst.get(f"/api/v1/database/{me.database}/schemas/")
        assert set(answer.json["result"]) - {"information_schema", "public"} == {"analytics", f"tenant_{me.id}"}

    def test_dashboard_is_given_to_no_foreign_role_or_owner(self, me, other, app):
        from superset import security_manager

        with all_metadata(app):
            role = security_manager.find_role(f"tenant:{other.id}:viewer").id
            user = security_manager.find_user(f"analyst-{other.id}").id
        for body in ({"roles": [role]}, {"owners": [user]}):
            answer = me.analyst.put(f"/api/v1/dashboard/{me.dashboard}", body)
            assert answer.status_code in (400, 403, 404, 422), answer.text
