"""Through SQL Lab and Explore: what PostgreSQL understands runs as it was typed, and the rest is refused in words."""

import pytest
from test_queries import QUERIES

from world import adhoc, query_context, rows

#: They read nothing of the tables of the queries.
WITHOUT_TABLES = [
    query
    for queries in QUERIES.values()
    for query in queries
    if not any(
        table in query.lower() for table in ("orders", "lines", "events", "staff", "corpus", "unaccent", "similarity", "::")
    )
]
#: Columns that the example's orders have.
METRICS = {
    "percentile": "percentile_cont(0.5) WITHIN GROUP (ORDER BY amount)",
    "filter": "count(*) FILTER (WHERE quantity > 1)",
    "array": "(array_agg(product ORDER BY amount DESC))[1]",
    "json": "jsonb_build_object('n', count(*)) ->> 'n'",
    "case": "sum(CASE WHEN quantity > 1 THEN amount ELSE 0 END) -- large ones",
    "pattern": "count(*) FILTER (WHERE product ~* '^l.*p$' AND product SIMILAR TO '%a%')",
}


@pytest.mark.parametrize("query", WITHOUT_TABLES)
def test_a_query_runs_in_sql_lab(world, query):
    me = world["tk4q9w"]
    answer = me.analyst.sql(me.database, query)
    assert answer.status_code == 200, answer.text


def test_that_is_a_telling_part():
    assert len(WITHOUT_TABLES) >= 60


@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_runs_in_explore(world, metric):
    me = world["tk4q9w"]
    assert rows(me.analyst.chart_data(me.datasets["orders"], metrics=[adhoc(METRICS[metric])]))


def test_a_filter_of_ten_thousand_values_runs(me):
    values = [f"a customer of forty characters, number {n}" for n in range(9_999)] + [me.canary]
    filters = [{"col": "customer", "op": "IN", "val": values}]
    assert rows(me.analyst.chart_data(me.datasets["orders"], filters=filters)) == [{"n": 1}]
    listed = ", ".join(f"'{value}'" for value in values)
    answer = me.analyst.sql(me.database, f"SELECT count(*) AS n FROM orders WHERE customer IN ({listed})")
    assert rows(answer) == [{"n": 1}]


def test_a_long_text_does_not_grow(me):
    """Superset's limit on rows is all that is added."""
    sql = "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(1_000)) + " -- the end"
    answer = me.analyst.sql(me.database, sql)
    assert answer.status_code == 200 and answer.json["query"]["executedSql"] == f"{sql}\nLIMIT 1001"


REFUSED = {
    "sql lab": lambda me, text: me.analyst.sql(me.database, f"SELECT {text}"),
    "format": lambda me, text: me.analyst.post(
        "/api/v1/sqllab/format_sql/", {"sql": f"SELECT {text}", "database_id": me.database}
    ),
    "metric": lambda me, text: me.analyst.chart_data(me.datasets["orders"], metrics=[adhoc(f"max({text}::text)")]),
    "column": lambda me, text: me.analyst.chart_data(me.datasets["orders"], columns=[adhoc(text)], metrics=[]),
    "where": lambda me, text: me.analyst.chart_data(me.datasets["orders"], extras={"where": f"{text} IS NOT NULL"}),
    "having": lambda me, text: me.analyst.chart_data(me.datasets["orders"], extras={"having": f"max({text}::text) <> ''"}),
    "order": lambda me, text: me.analyst.chart_data(me.datasets["orders"], orderby=[[adhoc(f"max({text}::text)"), True]]),
    "virtual dataset": lambda me, text: me.analyst.post(
        "/api/v1/dataset/", {"database": me.database, "table_name": "virtual", "sql": f"SELECT {text}"}
    ),
    "dataset's sql": lambda me, text: me.analyst.put(f"/api/v1/dataset/{me.datasets['notes']}", {"sql": f"SELECT {text}"}),
    "calculated column": lambda me, text: me.analyst.put(
        f"/api/v1/dataset/{me.datasets['notes']}", {"columns": [{"column_name": "calculated", "expression": text}]}
    ),
    "dataset's metric": lambda me, text: me.analyst.put(
        f"/api/v1/dataset/{me.datasets['notes']}", {"metrics": [{"metric_name": "m", "expression": f"max({text}::text)"}]}
    ),
    "filter values": lambda me, text: me.analyst.put(
        f"/api/v1/dataset/{me.datasets['notes']}", {"fetch_values_predicate": f"{text} IS NOT NULL"}
    ),
    "samples": lambda me, text: me.analyst.post(
        "/api/v1/chart/data",
        {**query_context(me.datasets["orders"], extras={"where": f"{text} IS NOT NULL"}), "result_type": "samples"},
    ),
}
TEXTS = {
    "a setting": ("set_config('app.current_tenant', 'x', false)", "set_config"),
    "names of tables": ("format_type(16384, NULL)", "format_type"),
    "names of roles": ("(16384::regrole)", "regrole"),
    "locks": ("pg_try_advisory_lock(1)", "pg_try_advisory_lock"),
}


@pytest.mark.parametrize("place", REFUSED)
@pytest.mark.parametrize("text", TEXTS)
def test_is_refused_in_words_in_each_place(world, place, text):
    sql, named = TEXTS[text]
    answer = REFUSED[place](world["tk4q9w"], sql)
    assert answer.status_code in (400, 403) and named in answer.text and "not allowed here" in answer.text, answer.text


def test_a_row_level_rule_of_superset_holds_in_sql_lab(app, me):
    from superset import db
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable

    from world import all_metadata

    with all_metadata(app):
        rule = RowLevelSecurityFilter(
            name=f"rule of {me.id}",
            filter_type="Base",
            clause=f"customer = '{me.canary}'",
            tables=[db.session.get(SqlaTable, me.datasets["orders"])],
        )
        db.session.add(rule)
        db.session.commit()
        number = rule.id
    try:
        assert rows(me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders o")) == [{"n": 1}]
    finally:
        with all_metadata(app):
            db.session.delete(db.session.get(RowLevelSecurityFilter, number))
            db.session.commit()
    assert rows(me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders o")) == [{"n": me.orders}]
