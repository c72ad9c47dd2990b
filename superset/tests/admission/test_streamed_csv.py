"""A CSV that is streamed is larger than what a process may hold at once, and not endless."""

import pytest

MIB = 1024 * 1024
ROWS = 5000


@pytest.fixture
def export(world):
    """The rows of a query of five MB, in lines."""
    me = world["tk4q9w"]
    sql = f"SELECT n, repeat('x', 1000) AS x FROM generate_series(1, {ROWS}) AS n"
    answer = me.analyst.sql(me.database, sql, queryLimit=ROWS)
    assert answer.status_code == 200, answer.text
    data = {"client_id": answer.json["query"]["id"]}

    def export():
        answer = me.analyst.client.post("/api/v1/sqllab/export_streaming/", data=data, headers=me.analyst.headers)
        assert answer.status_code == 200, answer.text
        return answer.text.splitlines()

    return export


def test_a_part_is_let_go_before_the_next_is_read(export, monkeypatch):
    from superset_tenancy.results import held
    from superset_tenancy.results.limits import Size

    monkeypatch.setattr(held, "OF_TENANT", Size(bytes=2 * MIB, cells=ROWS))
    lines = export()
    assert len(lines) == ROWS + 1, lines[-1]
    assert not held._held


def test_over_the_bound_the_page_is_told_why(export, monkeypatch):
    """In the words that the page shows: what stands after the mark."""
    from superset_tenancy.results import limits

    monkeypatch.setattr(limits, "OF_STREAM", 2 * MIB)
    *lines, last = export()
    assert last.startswith("__STREAM_ERROR__:The file is larger than 2 MiB, which is the most that can be exported"), last
    assert 1000 <= len(lines) < ROWS


def test_up_to_the_bound_nothing_is_missing(export):
    lines = export()
    assert len(lines) == ROWS + 1 and lines[-1].startswith(f"{ROWS},x"), lines[-1]
