"""One tenant's requests are bounded; another's are admitted while they run."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from test_attacks import wait_until


@pytest.fixture
def shares(app, tenancy):
    """What the running application admits by, without patience for those that wait."""
    from dataclasses import replace

    admission = find_admission(app)
    before = admission.requests.bounds
    admission.requests.bounds = replace(before, patience=0.2)
    yield admission.requests
    admission.requests.bounds = before


def find_admission(app):
    """The middleware, below those of Superset."""
    from superset_tenancy.admission.middleware import Admission

    layer = app.wsgi_app
    while not isinstance(layer, Admission):
        layer = getattr(layer, "app", None) or layer._app
    return layer


@contextmanager
def full(shares, group):
    """As if the group had all its requests at work."""
    for _ in range(shares.bounds.each):
        shares.enter(group)
    try:
        yield
    finally:
        for _ in range(shares.bounds.each):
            shares.leave(group)


def reached(*_arguments):
    raise AssertionError("the request has reached Superset")


class TestRefusal:
    def test_the_next_request_of_the_tenant_is_told_when_to_come_back(self, shares, me, other):
        me.analyst.get("/api/v1/chart/")
        with full(shares, f"tenant:{me.id}"):
            answer = me.analyst.get("/api/v1/chart/")
            assert answer.status_code == 429 and int(answer.headers["Retry-After"]) > 0
            assert "too many requests running" in answer.json["message"]
            assert answer.json["errors"][0]["message"] == answer.json["message"]
            assert other.analyst.get("/api/v1/chart/").status_code == 200
            assert other.viewer.client.get("/health").status_code == 200
        assert me.analyst.get("/api/v1/chart/").status_code == 200

    def test_a_browser_gets_a_page(self, shares, me):
        me.analyst.get("/api/v1/chart/")
        with full(shares, f"tenant:{me.id}"):
            answer = me.analyst.client.get("/superset/welcome/", headers={**me.analyst.headers, "Accept": "text/html"})
        assert answer.status_code == 429 and answer.content_type.startswith("text/html"), answer.text
        assert "too many requests running" in answer.text

    def test_a_guest_counts_to_the_tenant(self, shares, me, other, guest_of):
        guest = guest_of(me, "somebody")
        assert guest.chart_data(me, me.dashboard).status_code == 200
        with full(shares, f"tenant:{me.id}"):
            answer = guest.client.get(f"/api/v1/dashboard/{me.dashboard}", headers=guest.headers)
        assert answer.status_code == 429

    def test_nobody_works_for_who_is_refused(self, shares, me, app, monkeypatch):
        """No session of metadata, no connection: the request does not reach Superset."""
        me.analyst.get("/api/v1/chart/")
        with full(shares, f"tenant:{me.id}"):
            monkeypatch.setattr(find_admission(app), "_app", reached)
            assert me.analyst.get("/api/v1/chart/").status_code == 429

    def test_so_many_refusals_come_late_and_others_at_once(self, shares, me, app, monkeypatch):
        from superset_tenancy.admission import middleware

        late, over = [], threading.Event()
        clock = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: (late.append(1), over.wait(60)))
        monkeypatch.setattr(middleware, "time", clock)
        me.analyst.get("/api/v1/chart/")

        def ask():
            return app.test_client().get("/api/v1/chart/", headers=me.analyst.headers).status_code

        with full(shares, f"tenant:{me.id}"), ThreadPoolExecutor() as threads:
            held = [threads.submit(ask) for _ in range(middleware.OF_REFUSALS.each)]
            wait_until(lambda: len(late) == middleware.OF_REFUSALS.each)
            try:
                assert ask() == 429 and not any(each.done() for each in held)
            finally:
                over.set()
            assert {each.result() for each in held} == {429}

    def test_callers_who_are_not_signed_in_share_a_bound(self, shares, me, app):
        me.analyst.get("/api/v1/chart/")
        with full(shares, "anonymous"):
            assert app.test_client().get("/login/").status_code == 429
            assert me.analyst.get("/api/v1/chart/").status_code == 200


class TestTurns:
    """Counting, without Superset."""

    @pytest.fixture
    def few(self):
        from superset_tenancy.admission.shares import Bounds, Shares

        return Shares(Bounds(together=3, each=2, waiting_together=2, waiting_each=1, patience=5))

    def test_who_waits_has_the_turn_of_who_leaves(self, few):
        few.enter("a"), few.enter("a")
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(few.enter, "a")
            few.enter("b")
            few.leave("a")
            waiting.result(5)
        assert few.at_work("a") == 2

    def test_more_than_may_wait_are_refused_at_once(self, few):
        from superset_tenancy.admission.shares import Busy

        few.enter("a"), few.enter("a")
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(few.enter, "a")
            until(lambda: few._waiting)
            with pytest.raises(Busy):
                few.enter("a")
            few.leave("a")
            waiting.result(5)

    def test_all_that_are_admitted_are_fewer_than_the_threads_of_the_template(self, servers):
        from superset_tenancy.admission.middleware import OF_FILES, OF_REFUSALS, OF_REQUESTS

        (threads,) = (int(word.partition("=")[2]) for word in servers.commands["web"] if word.startswith("--threads="))
        assert sum(bound.together + bound.waiting_together for bound in (OF_REQUESTS, OF_FILES, OF_REFUSALS)) < threads
        assert OF_REQUESTS.each < OF_REQUESTS.together

    def test_thousands_of_requests_leave_nothing_behind(self, few):
        from superset_tenancy.admission.shares import Busy

        def come_and_go(group):
            for _ in range(500):
                try:
                    few.enter(group)
                except Busy:
                    continue
                assert few.at_work(group) <= 2
                few.leave(group)

        threads = [threading.Thread(target=come_and_go, args=(group,)) for group in "aabbcc"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not few._at_work and not few._waiting


def until(happens):
    import time

    end = time.monotonic() + 10
    while not happens():
        assert time.monotonic() < end
        time.sleep(0.01)
