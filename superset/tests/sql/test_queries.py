"""Queries that analysts write, of all that PostgreSQL can do: each is valid to a server, and none is refused."""

from itertools import groupby
from pathlib import Path

import psycopg2
import pytest

from superset_tenancy.sql.guard import check

HERE = Path(__file__).parent


def read_queries() -> dict[str, list[str]]:
    """By subject."""
    queries: dict[str, list[str]] = {}
    for is_subject, lines in groupby((HERE / "queries.sql").read_text().splitlines(), lambda line: line.startswith("-- ")):
        if is_subject:
            (subject,) = lines
        else:
            queries[subject[3:]] = list(lines)
    return queries


QUERIES = read_queries()


@pytest.fixture(scope="module")
def corpus(servers):
    """The tables of the queries, in a transaction that is rolled back."""
    connection = psycopg2.connect(**servers.superuser)
    cursor = connection.cursor()
    cursor.execute((HERE / "queries_tables.sql").read_text())
    yield cursor
    connection.close()


def test_there_are_three_hundred():
    assert len(QUERIES) >= 20 and sum(map(len, QUERIES.values())) >= 300


@pytest.mark.parametrize("subject", QUERIES)
def test_each_is_valid_to_a_server_and_none_is_refused(corpus, subject):
    for query in QUERIES[subject]:
        corpus.execute("SAVEPOINT query")
        corpus.execute(query)
        corpus.execute("ROLLBACK TO query")
        check(query)
