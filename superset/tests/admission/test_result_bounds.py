"""A result that is too large ends at the bound, in plain words, and the process does not grow."""

import pytest

from world import adhoc, rows

MIB = 1024 * 1024


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096


@pytest.fixture
def grown():
    """Bytes that this process has grown by since the test began."""
    before = resident()
    return lambda: resident() - before


def as_viewer(me, **query):
    return me.viewer.chart_data(me.datasets["orders"], dashboard=me.dashboard, chart=me.chart, **query)


class TestBytes:
    def test_a_value_of_a_hundred_megabytes_as_a_metric(self, me, grown):
        answer = as_viewer(me, metrics=[adhoc("repeat('x', 100000000)")], row_limit=1)
        assert answer.status_code == 400, answer.text
        assert "larger than 32 MiB" in answer.text and "left(column, 1000)" in answer.text
        assert grown() < 150 * MIB

    def test_a_value_of_ten_megabytes_is_shown(self, me):
        answer = as_viewer(me, metrics=[adhoc("repeat('x', 10000000)")], row_limit=1)
        assert len(rows(answer)[0]["n"]) == 10_000_000

    def test_many_rows_in_sql_lab(self, me, grown):
        sql = "SELECT repeat('x', 100000) FROM generate_series(1, 1000)"
        answer = me.analyst.sql(me.database, sql, queryLimit=1000)
        assert answer.status_code != 200 and "larger than 32 MiB" in answer.text, answer.text
        assert grown() < 150 * MIB
        assert len(rows(me.analyst.sql(me.database, sql, queryLimit=10))) == 10


class TestValues:
    SQL = "SELECT " + ", ".join(f"n AS c{i}" for i in range(60)) + " FROM generate_series(1, {}) AS n"

    def test_many_values_in_many_columns(self, me, grown):
        answer = me.analyst.sql(me.database, self.SQL.format(50_000), queryLimit=50_000)
        assert answer.status_code != 200 and "at most 2,000,000 values" in answer.text, answer.text
        assert grown() < 150 * MIB

    def test_fewer_rows_of_them(self, me):
        answer = me.analyst.sql(me.database, self.SQL.format(1000), queryLimit=1000)
        assert len(rows(answer)) == 1000
