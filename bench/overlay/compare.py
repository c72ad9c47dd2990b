"""Pages of Superset in this checkout and in another one, side by side on servers of their own; prints what it saw as JSON.

Usage: compare.py OTHER_CHECKOUT
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from select import select

HERE = Path(__file__).parent
RUNS = 5
PAGES = {
    "dashboards": 30,
    "dashboard": 40,
    "charts-of-dashboard": 40,
    "chart-cached": 40,
    "chart": 40,
    "explore": 40,
    "sql-lab": 30,
}


class Checkout:
    """The Superset of one checkout, which answers how long pages take."""

    def __init__(self, checkout: Path, pipes: Path) -> None:
        pipes.mkdir()
        questions, answers = pipes / "questions", pipes / "answers"
        os.mkfifo(questions)
        os.mkfifo(answers)
        tests = checkout / "superset" / "tests"
        self._process = subprocess.Popen(
            ["npx", "tsx", tests / "run.ts", "-p", "no:cacheprovider", HERE / "pages.py"],
            env={**os.environ, "CHECKOUT_TESTS": str(tests), "QUESTIONS": str(questions), "ANSWERS": str(answers)},
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
        )
        # To be open for both from the beginning: a pipe would wait for its other end, which may die before.
        self._ask = os.fdopen(os.open(questions, os.O_RDWR), "w")
        self._answers = os.fdopen(os.open(answers, os.O_RDWR))

    def ready(self) -> None:
        while not select([self._answers], [], [], 1)[0]:
            if self._process.poll() is not None:
                raise RuntimeError("the tests' Superset did not start")
        assert self._answers.readline().strip() == "ready"

    def median(self, page: str) -> float:
        print(page, PAGES[page], file=self._ask, flush=True)
        return float(self._answers.readline())

    def end(self) -> None:
        print("end", 0, file=self._ask, flush=True)
        self._process.wait(60)


def main(other: str) -> None:
    with tempfile.TemporaryDirectory() as pipes:
        places = {"before": Path(other), "now": HERE.parents[1]}
        checkouts = {name: Checkout(place, Path(pipes, name)) for name, place in places.items()}
        for checkout in checkouts.values():
            checkout.ready()
        print(json.dumps(measured(checkouts)))
        for checkout in checkouts.values():
            checkout.end()


def measured(checkouts: dict[str, Checkout]) -> list[dict]:
    runs = []
    for run in range(RUNS):
        order = ("before", "now") if run % 2 == 0 else ("now", "before")
        runs.append({page: {name: checkouts[name].median(page) for name in order} for page in PAGES})
    return runs


main(sys.argv[1])
