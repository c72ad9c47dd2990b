"""Texts that Superset itself parses, renders or puts into SQL: names are names, nothing is rendered, nothing takes long."""

import pytest

from world import adhoc, rows

INJECTION = 'x"; COMMIT; BEGIN READ WRITE; ALTER ROLE CURRENT_USER SET statement_timeout = 0; COMMIT; --'
NESTED = "ARRAY[" * 22 + "1" + "]" * 22
TEMPLATES = [
    "SELECT '{{ 'x' * 400000000 }}' AS n",
    "SELECT 1 AS n /* {% for i in range(100000) %}{% for j in range(500) %}{% endfor %}{% endfor %} */",
    'SELECT 1 AS n /* {% set x = "a" * 700000000 %} */',
]


def settings_of_role(servers, tenant) -> list:
    return servers.as_superuser("SELECT setconfig FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole"
                                " WHERE rolname = %s", f"tenant_{tenant.id}")  # fmt: skip


class TestSchema:
    @pytest.mark.parametrize("field", ["schema", "catalog"])
    def test_sql_lab_takes_names_only(self, servers, me, field):
        before = settings_of_role(servers, me)
        answer = me.analyst.sql(me.database, "SELECT 1 AS n", **{field: INJECTION})
        assert answer.status_code in (400, 403) and f"is not a {field} name" in answer.text, answer.text
        assert settings_of_role(servers, me) == before
        assert rows(me.analyst.sql(me.database, "SELECT 1 AS n")) == [{"n": 1}]

    def test_a_dataset_is_saved_with_names_only(self, me):
        body = {"database": me.database, "schema": INJECTION, "table_name": "t", "sql": "SELECT 1 AS n"}
        answer = me.analyst.post("/api/v1/dataset/", body)
        assert answer.status_code in (400, 403) and "is not a schema name" in answer.text, answer.text
        answer = me.analyst.put(f"/api/v1/dataset/{me.datasets['orders']}", {"schema": INJECTION})
        assert answer.status_code in (400, 403) and "is not a schema name" in answer.text, answer.text

    def test_a_dataset_that_was_saved_before_runs_nothing(self, app, servers, me):
        """As it may be in the metadata of an older release."""
        from superset import db
        from superset.connectors.sqla.models import SqlaTable

        from world import all_metadata

        dataset = me.analyst.create("dataset", database=me.database, table_name="saved_before", sql="SELECT 1 AS n")
        with all_metadata(app):
            table = SqlaTable.__table__
            db.session.execute(table.update().where(table.c.id == dataset).values(schema=INJECTION))
            db.session.commit()
        before = settings_of_role(servers, me)
        answer = me.analyst.chart_data(dataset)
        assert "is not a schema name" in answer.text, answer.text
        assert settings_of_role(servers, me) == before
        assert me.analyst.delete(f"/api/v1/dataset/{dataset}").status_code == 200

    @pytest.mark.parametrize("schema", ["information_schema", "pg_catalog", "pg_toast"])
    def test_a_schema_of_the_system_is_not_searched(self, me, schema):
        answer = me.analyst.sql(me.database, "SELECT * FROM tables", schema=schema)
        assert answer.status_code in (400, 403) and "tells about the server" in answer.text, answer.text

    def test_a_name_is_quoted_whatever_it_holds(self, servers):
        from superset_tenancy.sql.identifiers import search_path_query

        (statement,) = search_path_query(INJECTION)
        assert servers.as_superuser(statement + "; SHOW search_path")[0][0].startswith('"x""; COMMIT')


class TestTemplates:
    @pytest.mark.parametrize("sql", TEMPLATES)
    def test_sql_lab_renders_nothing(self, me, sql):
        answer = me.analyst.sql(me.database, sql)
        assert answer.status_code in (200, 403) and len(answer.text) < 20_000, answer.text[:500]

    @pytest.mark.parametrize("sql", TEMPLATES)
    def test_listing_saved_queries_renders_nothing(self, me, sql):
        answer = me.analyst.post("/api/v1/saved_query/", {"db_id": me.database, "label": "template", "sql": sql})
        listed = me.analyst.get("/api/v1/saved_query/")
        assert listed.status_code == 200 and len(listed.text) < 100_000
        if answer.status_code == 201:
            assert me.analyst.delete(f"/api/v1/saved_query/{answer.json['id']}").status_code == 200

    def test_no_processor_of_plain_text_can_render(self, app, me):
        from superset import db
        from superset.jinja_context import get_template_processor
        from superset.models.core import Database

        from superset_tenancy.refusals.refusal import TenancyRefusal
        from world import all_metadata

        with all_metadata(app):
            processor = get_template_processor(db.session.get(Database, me.database))
            assert processor.process_template("SELECT '{{ 1 + 1 }}'") == "SELECT '{{ 1 + 1 }}'"
            for render in (processor.env.from_string, processor.env.parse, processor.env.compile):
                with pytest.raises(TenancyRefusal, match="Jinja"):
                    render("{{ 1 + 1 }}")

    def test_braces_in_a_string_are_plain_sql(self, me):
        assert rows(me.analyst.sql(me.database, "SELECT '{{ 1 + 1 }}' AS n")) == [{"n": "{{ 1 + 1 }}"}]


class TestNesting:
    """22 levels would not end in the life of a process."""

    def refused_or_answered(self, answer):
        assert answer.status_code in (200, 400, 403, 422), answer.text[:500]

    def test_format_sql(self, me):
        self.refused_or_answered(me.analyst.post("/api/v1/sqllab/format_sql/", {"sql": f"SELECT {NESTED}"}))
        for engine in ("mysql", "bigquery", "base"):
            body = {"sql": f"SELECT {NESTED}", "engine": engine}
            self.refused_or_answered(me.analyst.post("/api/v1/sqllab/format_sql/", body))

    def test_sql_lab(self, me):
        answer = me.analyst.sql(me.database, f"SELECT {NESTED}")
        assert "number of array dimensions (7) exceeds the maximum allowed (6)" in answer.text

    @pytest.mark.parametrize("person", ["analyst", "viewer"])
    def test_chart_data(self, me, person):
        dataset = me.datasets["orders"]
        asks = getattr(me, person).chart_data
        self.refused_or_answered(asks(dataset, extras={"where": f"{NESTED} IS NOT NULL"}))
        self.refused_or_answered(asks(dataset, metrics=[adhoc(f"max({NESTED})")]))
        self.refused_or_answered(asks(dataset, columns=[adhoc(NESTED)], metrics=[]))
