"""What pages of Superset ask for, timed in one checkout: run by pytest with the fixtures of that checkout's tests.

Reads lines `PAGE COUNT` from the pipe QUESTIONS, and writes the median of COUNT requests, in ms, to the pipe ANSWERS.
"""

import os
import statistics
import sys
import time

sys.path.insert(0, os.environ["CHECKOUT_TESTS"])

from conftest import *  # noqa: F403 - fixtures

from world import query_context, rows


def test_answer_what_is_asked(world):
    tenant = next(iter(world.values()))
    analyst, dataset = tenant.analyst, tenant.datasets["orders"]
    ask = {
        "dashboards": lambda: analyst.get("/api/v1/dashboard/"),
        "dashboard": lambda: analyst.get(f"/api/v1/dashboard/{tenant.dashboard}"),
        "charts-of-dashboard": lambda: analyst.get(f"/api/v1/dashboard/{tenant.dashboard}/charts"),
        "chart-cached": lambda: analyst.post("/api/v1/chart/data", query_context(dataset, force=False)),
        "chart": lambda: analyst.chart_data(dataset),
        "explore": lambda: analyst.get(f"/api/v1/explore/?slice_id={tenant.chart}"),
        "sql-lab": lambda: analyst.sql(tenant.database, "SELECT count(*) AS n FROM orders"),
    }
    for page in ask.values():
        for _ in range(5):
            assert page().status_code == 200
    assert rows(ask["chart"]()) == rows(ask["sql-lab"]()) == [{"n": tenant.orders}]
    questions, answers = open(os.environ["QUESTIONS"]), open(os.environ["ANSWERS"], "w")
    print("ready", file=answers, flush=True)
    for line in questions:
        page, count = line.split()
        if page == "end":
            return
        print(median(ask[page], int(count)), file=answers, flush=True)


def median(ask, count: int) -> float:
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        assert ask().status_code == 200
        taken.append((time.perf_counter() - started) * 1000)
    return statistics.median(taken)
