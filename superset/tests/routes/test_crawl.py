"""Every route and method, asked by every kind of caller, for its own things and for everything of another tenant.

Generated from the route map of the running application. No answer holds a word of the other tenant, is an error of the server, or
stays away; what is there at home shows that the requests look at the right things.
"""

import json
import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from callers import Browser, make_user
from crawl import Crawl
from crawl_objects import REPLACEABLE, Maker, belongings, content_of, forget, newest

from superset_tenancy import names
from world import PASSWORD, Guest, Person, all_metadata

ME, OTHER = "tk4q9w", "tz81mm"
KINDS = ["anonymous", "unassigned", "guest", "viewer", "analyst", "admin", "platform"]

#: What the caller is told about the own tenant: without these, a crawl that finds nothing would prove nothing.
AT_HOME = {
    "viewer": {
        "GET /api/v1/dashboard/",
        "GET /api/v1/dashboard/<id_or_slug>",
        "GET /api/v1/dashboard/<int:pk>/filter_state/<string:key>",
        "GET /api/v1/dashboard/permalink/<string:key>",
        "POST /api/v1/chart/data",
    },
    "analyst": {
        "GET /api/v1/chart/",
        "GET /api/v1/chart/<id_or_uuid>",
        "GET /api/v1/dashboard/",
        "GET /api/v1/dashboard/<id_or_slug>",
        "GET /api/v1/dashboard/<id_or_slug>/charts",
        "GET /api/v1/dashboard/related/<column_name>",
        "GET /api/v1/database/",
        "GET /api/v1/database/<int:pk>",
        "GET /api/v1/dataset/",
        "GET /api/v1/dataset/<id_or_uuid>",
        "GET /api/v1/explore/",
        "GET /api/v1/explore/form_data/<string:key>",
        "GET /api/v1/explore/permalink/<string:key>",
        "GET /api/v1/query/",
        "GET /api/v1/query/<int:pk>",
        "GET /api/v1/saved_query/",
        "GET /api/v1/saved_query/<int:pk>",
        "POST /api/v1/chart/data",
        "POST /api/v1/sqllab/execute/",
        "POST /superset/explore_json/",
    },
    "guest": {"GET /api/v1/dashboard/<id_or_slug>"},
}


def forget_queries(app) -> None:
    """Operators see texts that people have typed: those of other tests have rows' marks in them."""
    from superset import db
    from superset.models.sql_lab import Query

    with all_metadata(app):
        db.session.query(Query).delete()
        db.session.commit()


@pytest.fixture(scope="module")
def long_tokens(app):
    """Tokens last for the crawl, however slow the machine is."""
    with patch.dict(app.config, JWT_ACCESS_TOKEN_EXPIRES=timedelta(hours=8), GUEST_TOKEN_JWT_EXP_SECONDS=8 * 3600):
        yield


@pytest.fixture(scope="module")
def platform(app, tenancy, long_tokens):
    """The platform's administrator, with a token of this module."""
    return Person(app.test_client(), "platform")


@pytest.fixture(scope="module")
def scene(app, servers, world, platform):
    """Both tenants with an object of every kind, and people who ask for nothing else."""
    forget_queries(app)
    since = newest(app)
    scene = {}
    for tenant in servers.tenants:
        first_name = f"First {tenant.id}"
        make_user(app, f"crawl-viewer-{tenant.id}", names.role_name(tenant.id, "viewer"), first_name=first_name)
        # A session beside the token, which some routes do not look at.
        analyst = make_user(app, f"crawl-analyst-{tenant.id}", names.role_name(tenant.id, "analyst"), first_name=first_name)
        maker = Maker(app, world[tenant.id], Person(analyst.client, f"crawl-analyst-{tenant.id}"))
        scene[tenant.id] = (maker, belongings(maker, tenant.displayName, platform))
    make_user(app, "crawl-unassigned", "tenancy:guest")
    make_user(app, "crawl-platform", "Admin")
    yield scene
    forget(app, since)


@pytest.fixture(scope="module")
def sign_in(app, servers, scene, platform):
    """Begins a session of each kind of caller, with a token beside it where there is one."""
    admin = next(tenant.adminEmail for tenant in servers.tenants if tenant.id == ME)
    logins = {
        "viewer": (f"crawl-viewer-{ME}", PASSWORD),
        "analyst": (f"crawl-analyst-{ME}", PASSWORD),
        "admin": (admin, f"admin of {ME}"),
        "platform": ("crawl-platform", PASSWORD),
        "unassigned": ("crawl-unassigned", PASSWORD),
    }

    def begin(kind: str) -> Browser:
        if kind == "anonymous":
            return Browser(app.test_client())
        if kind == "guest":
            embedded = scene[ME][1].of("embedded").texts[0]
            guest = Guest(app.test_client(), platform, embedded, "visitor")
            return Browser(guest.client, headers=guest.headers)
        name, password = logins[kind]
        token = Person(app.test_client(), name, password).headers
        return Browser(app.test_client(), name, headers=token, password=password)

    return begin


@pytest.fixture(scope="module")
def crawled(app, servers, scene, sign_in):
    """Crawls once for each kind of caller."""
    done: dict[str, Crawl] = {}

    def crawl(kind: str) -> Crawl:
        if kind not in done:
            maker, own = scene[ME]
            other = scene[OTHER][1]
            # These are kept for minutes only.
            own.things |= {thing: REPLACEABLE[thing](maker, own) for thing in ("filter_state", "form_data")}
            forbidden = other.words
            if kind in ("anonymous", "unassigned"):
                forbidden = (*own.words, *other.words)
            if kind == "platform":
                # Operators see what there is of each tenant, but no row.
                forbidden = (own.tenant.canary, own.tenant.value, other.tenant.canary, other.tenant.value)
            begin, computed = time.monotonic(), time.process_time()
            done[kind] = Crawl(app, kind, lambda: sign_in(kind), maker, own, other, forbidden).run()
            took = f"{time.monotonic() - begin:.0f} s, {time.process_time() - computed:.0f} s of them computing"
            print(f"\ncrawl as {kind}: {done[kind].cases} cases in {took}, {dict(done[kind].statuses)}")
        return done[kind]

    return crawl


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_of_the_other_is_told_and_nothing_breaks(crawled, kind):
    failures = crawled(kind).failures
    assert failures == [], f"{len(failures)} of {crawled(kind).cases}:\n" + json.dumps(failures, indent=1, ensure_ascii=False)


@pytest.mark.parametrize("kind", AT_HOME)
def test_the_own_things_are_told(crawled, kind):
    assert AT_HOME[kind] - crawled(kind).told == set()


def test_what_is_the_others_is_as_it_was(app, scene, crawled):
    other = scene[OTHER][1]
    before = content_of(app, other)
    assert all(before[kind] for kind in ("dashboard", "chart", "dataset", "saved_query", "query"))
    for kind in KINDS:
        crawled(kind)
    assert content_of(app, other) == before


def test_a_kind_that_is_not_served_meets_the_gate_on_every_route(crawled):
    """Nothing is answered to those who have no business there."""
    for kind in ("anonymous", "unassigned"):
        assert set(crawled(kind).statuses) <= {200, 302, 400, 401, 403, 404, 405, 422}
