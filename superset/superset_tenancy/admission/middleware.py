"""Admits requests, in front of Superset: before a connection, a session of metadata or a task is held.

`/health` is answered whatever happens. Files of the user interface have bounds apart from the tenants', since a page loads many
at once and each takes a moment. A response that is streamed counts until it ends.
"""

import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus
from typing import Any

from superset_tenancy.admission.callers import ANONYMOUS, Callers, tenant_of_group
from superset_tenancy.admission.client import Client
from superset_tenancy.admission.counted_response import CountedResponse
from superset_tenancy.admission.refusal import MESSAGE, NOT_SIGNED_IN, refuse
from superset_tenancy.admission.shares import Bounds, Busy, Shares
from superset_tenancy.results.held import Holder, holder
from superset_tenancy.timeouts import TIMEOUTS

#: Bytes of a request: an import of Superset's, at most.
LARGEST_BODY = 10 * 1024 * 1024
TOO_LARGE = f"The request is larger than {LARGEST_BODY // 1024**2} MiB, which is the most that is read."

HEALTH = frozenset({"/health", "/healthcheck", "/ping"})
_FILES = "/static/"

OF_REQUESTS = Bounds(patience=TIMEOUTS["admission"])
OF_FILES = Bounds(together=8, each=8, waiting_together=24, waiting_each=24, patience=TIMEOUTS["admission"])
#: Threads that nothing else needs: WEB_THREADS of the task definition less those of requests and files.
OF_REFUSALS = Bounds(together=12, each=6, waiting_together=0, waiting_each=0)
#: Seconds.
_REFUSED_AFTER = 1


class Admission:
    """WSGI middleware."""

    def __init__(self, app: Any, callers: Callers) -> None:
        self._app = app
        self._callers = callers
        self.requests = Shares(OF_REQUESTS)
        self._files = Shares(OF_FILES)
        self._refusals = Shares(OF_REFUSALS)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path in HEALTH:
            return self._app(environ, start_response)
        if (length := environ.get("CONTENT_LENGTH") or "0").isdecimal() and int(length) > LARGEST_BODY:
            return refuse(environ, start_response, TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        client, until = Client(environ), time.monotonic() + TIMEOUTS["request"]
        group, shares = "files", self._files
        try:
            if not path.startswith(_FILES):
                group, shares = ANONYMOUS, self.requests
                group = self._group(environ)
            shares.enter(group, is_wanted=lambda: not client.has_left())
        except Busy:
            if not client.has_left():
                self._hold(group)
            return refuse(environ, start_response, NOT_SIGNED_IN if group == ANONYMOUS else MESSAGE)
        tenant = tenant_of_group(group)
        held = Holder(tenant, until, client) if tenant else None
        return self._work(environ, start_response, held, done=partial(shares.leave, group))

    def _group(self, environ: dict[str, Any]) -> str:
        credential = self._callers.credential(environ)
        if credential is None:
            return ANONYMOUS
        known = self._callers.known(credential)
        if known is not None:
            return known
        self.requests.enter(ANONYMOUS)
        try:
            return self._callers.authenticate(environ, credential)
        finally:
            self.requests.leave(ANONYMOUS)

    def _hold(self, group: str) -> None:
        """Answers some refusals late: a program that asks again at once would do so a hundred times a second."""
        try:
            self._refusals.enter(group)
        except Busy:
            return
        try:
            time.sleep(_REFUSED_AFTER)
        finally:
            self._refusals.leave(group)

    def _work(self, environ: dict[str, Any], start_response: Any, held: Holder | None, done: Callable) -> Iterable[bytes]:
        holder.set(held)

        def end() -> None:
            holder.set(None)
            if held:
                held.release()
            done()

        try:
            response = self._app(environ, start_response)
        except BaseException:
            end()
            raise
        return CountedResponse(response, end)
