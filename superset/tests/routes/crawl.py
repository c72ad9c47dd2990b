"""Asks what the generator makes, as one caller, and collects what no caller may ever get."""

import io
import signal
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from callers import Browser
from crawl_objects import REPLACEABLE, Belongings, Maker, Thing
from crawl_requests import Generator, Request
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from superset_tenancy.routes.groups import Route
from superset_tenancy.routes.table import GROUP_OF

#: Seconds after which an answer counts as one that does not come.
PATIENCE = 20
#: End or change the session, so a new one is begun after them.
_SESSION_ENDS = {"/logout/", "/login/", "/embedded/<uuid>"}


class Hangs(Exception):
    """No answer in time."""


@dataclass
class Crawl:
    """One caller's way through all routes."""

    app: Flask
    kind: str
    sign_in: Callable[[], Browser]
    maker: Maker
    own: Belongings
    other: Belongings
    forbidden: tuple[str, ...]
    failures: list[tuple[str, str]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    statuses: Counter = field(default_factory=Counter)
    cases: int = 0
    _typed: set[str] = field(default_factory=set)
    _replacements: dict[str, Thing] = field(default_factory=dict)

    def run(self) -> "Crawl":
        browser = self.sign_in()
        generator = Generator(self.app, self.own, self.other)
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda rule: (rule.rule in _SESSION_ENDS, rule.rule)):
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                for request in self._requests(generator, rule, method):
                    self._ask(browser, request)
                    if rule.rule in _SESSION_ENDS:
                        browser = self.sign_in()
        return self

    def _requests(self, generator: Generator, rule: Rule, method: str):
        group = GROUP_OF.get(Route(method, rule.rule))
        served = group is not None and self.kind in group.callers
        changes = method in ("PUT", "DELETE") and served
        requests = generator.requests(rule, method, self._replacement if changes else None)
        for number, request in enumerate(requests):
            # Who is not served is not served whatever is named, which the first and the second say.
            if not served and number == 2:
                return
            if served and self.kind == "platform" and request.foreign and method != "GET":
                # Operators may change what belongs to a tenant, which other tests need.
                continue
            yield request

    def _replacement(self, kind: str) -> Thing | None:
        if kind in REPLACEABLE:
            return REPLACEABLE[kind](self.maker, self.own)
        return Thing() if kind in ("user", "role", "css_template", "database") else None

    def _ask(self, browser: Browser, request: Request) -> None:
        self.cases += 1
        self._remember(request)
        headers = {"X-Forwarded-For": self._address()}
        form = {"data": request.form} if request.form is not None else {"json": request.body} if request.body is not None else {}
        begin = time.monotonic()
        try:
            with _patience():
                answer = browser.ask(request.method, request.path, query_string=request.query, headers=headers, **form)
                text = _text_of(answer)
        except Hangs:
            self.failures.append((str(request), f"no answer within {PATIENCE} s"))
            return
        except Exception as error:
            self.failures.append((str(request), f"raised {type(error).__name__}"))
            return
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500 or answer.status_code == 429:
            self.failures.append((str(request), f"status {answer.status_code}: {text[:200]}"))
        if time.monotonic() - begin > PATIENCE:
            self.failures.append((str(request), "took too long"))
        self._read(request, text)

    def _address(self) -> str:
        """Another one for each request: wrong passwords of one do not have the next refused, which would tell nothing of it."""
        return f"198.19.{self.cases // 250 % 250}.{self.cases % 250 + 1}"

    def _remember(self, request: Request) -> None:
        """What the caller has typed may be repeated to it, now and later."""
        texts = [request.path, str(request.query), str(request.body), str(request.form)]
        things = [text for whose in (self.own, self.other) for thing in whose.things.values() for text in thing.texts]
        self._typed |= {thing for thing in things if any(word in thing for word in self.forbidden) and thing in str(texts)}

    def _read(self, request: Request, text: str) -> None:
        if self.own.tenant.id in text:
            self.told.add(f"{request.method} {request.rule}")
        for typed in self._typed:
            for written in (typed, quote(typed), quote(quote(typed))):
                text = text.replace(written, "")
        if said := [word for word in self.forbidden if word in text]:
            at = text.index(said[0])
            self.failures.append((str(request), f"tells {said[0]}: …{text[max(0, at - 80) : at + 80]}…"))


def _text_of(answer: TestResponse) -> str:
    if answer.data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
            return "\n".join(f"{name}\n{file.read(name).decode(errors='replace')}" for name in file.namelist())
    return answer.text if answer.mimetype.startswith(("text/", "application/json", "application/zip")) else ""


@contextmanager
def _patience():
    def give_up(_signal, _frame):
        raise Hangs

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
