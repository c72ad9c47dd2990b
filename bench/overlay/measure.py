"""One Superset in this process, asked by lines on standard input: `query N` or `chart N` answers the median of N, in ms.

Usage: measure.py USERNAME PASSWORD DATABASE. The Database and the user must be there; the dataset is made.
"""

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "superset" / "tests" / "environment"))

from flask import g
from superset.app import create_app

from world import Person, rows

QUERY = "SELECT count(*) FROM analytics.orders WHERE order_id < 10"


def main(username: str, password: str, name: str) -> None:
    app = create_app()
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    person = Person(app.test_client(), username, password)
    from superset import db, security_manager
    from superset.models.core import Database

    with app.app_context():
        database = db.session.query(Database).filter_by(database_name=name).one().id
    dataset = person.create("dataset", database=database, schema="analytics", table_name="orders")

    def query(count: int) -> float:
        with app.test_request_context():
            g.user = security_manager.find_user(username)
            asked = db.session.get(Database, database)
            return median(lambda: asked.get_df(QUERY), count)

    def chart(count: int) -> float:
        return median(lambda: rows(person.chart_data(dataset)), count)

    query(20), chart(5)
    print("ready", flush=True)
    for line in sys.stdin:
        kind, count = line.split()
        print({"query": query, "chart": chart}[kind](int(count)), flush=True)


def median(ask, count: int) -> float:
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)


main(*sys.argv[1:])
