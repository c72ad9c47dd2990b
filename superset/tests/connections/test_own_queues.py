"""A task goes to the queue of the tenant who asked, or whom it is about; all else to the default one."""

from contextlib import nullcontext
from types import SimpleNamespace

import pytest

from world import all_metadata


@pytest.fixture
def own(monkeypatch, app):
    from superset_tenancy.workers import own_queues

    monkeypatch.setattr(own_queues, "TENANTS", frozenset({"tk4q9w"}))
    return own_queues


@pytest.fixture
def route(own, app):
    """Where a task goes that the user of that name asks for, or nobody."""
    from superset import security_manager
    from superset.extensions import celery_app
    from superset.utils.core import override_user

    def queue(task: str, *args, asked_by: str | None = None, **kwargs) -> str:
        # Nobody asks at Celery's clock, whose task is about all tenants.
        about_all = all_metadata(app) if asked_by is None else nullcontext()
        with about_all, app.app_context(), override_user(asked_by and security_manager.find_user(asked_by)):
            # As Celery itself does it, with our settings.
            return celery_app.amqp.router.route({}, task, args, kwargs)["queue"].name

    return queue


def test_the_variable_names_tenants():
    from superset_tenancy.workers.own_queues import read_tenants

    assert read_tenants("") == frozenset()
    assert read_tenants("tk4q9w, tz81mm,") == {"tk4q9w", "tz81mm"}


@pytest.mark.parametrize(
    "user, queue",
    [
        ("analyst-tk4q9w", "tenant_tk4q9w"),
        ("viewer-tk4q9w", "tenant_tk4q9w"),
        ("analyst-tz81mm", "celery"),
        ("platform", "celery"),
    ],
)
@pytest.mark.parametrize("task", ["sql_lab.get_sql_results", "cache_dashboard_screenshot", "load_chart_data_into_cache"])
def test_who_asks_decides(tenancy, route, task, user, queue):
    assert route(task, asked_by=user) == queue


def test_without_own_queues_all_is_as_superset_has_it(route, own, monkeypatch, tenancy):
    monkeypatch.setattr(own, "TENANTS", frozenset())
    assert route("sql_lab.get_sql_results", asked_by="analyst-tk4q9w") == "celery"


class TestNobodyAsks:
    """At Celery's clock, what the task is about decides."""

    def test_an_alert_and_a_report(self, app, world, route):
        from superset import db
        from superset.reports.models import ReportSchedule

        def report(**about) -> int:
            with all_metadata(app):
                made = ReportSchedule(type="Report", name=f"of {about}", crontab="0 9 * * *", **about)
                db.session.add(made)
                db.session.commit()
                return made.id

        for tenant, queue in (("tk4q9w", "tenant_tk4q9w"), ("tz81mm", "celery")):
            content = world[tenant]
            for about in (
                {"chart_id": content.chart},
                {"dashboard_id": content.dashboard},
                {"database_id": content.database},
            ):
                id = report(**about)
                assert route("reports.execute", id) == queue, about
                with all_metadata(app):
                    db.session.delete(db.session.get(ReportSchedule, id))
                    db.session.commit()

    @pytest.mark.parametrize("tenant, queue", [("tk4q9w", "tenant_tk4q9w"), ("tz81mm", "celery")])
    def test_thumbnails_and_warm_up(self, world, route, tenant, queue):
        content = world[tenant]
        assert route("cache_chart_thumbnail", None, content.chart, True) == queue
        assert route("cache_dashboard_thumbnail", current_user=None, dashboard_id=content.dashboard, force=True) == queue
        assert route("fetch_url", f'{{"chart_id": {content.chart}}}', {}) == queue

    def test_what_is_gone_or_of_no_tenant_goes_to_the_default_queue(self, world, route):
        for task, *args in (
            ("reports.execute", 4711),
            ("cache_chart_thumbnail", None, 4711),
            ("fetch_url", "{}", {}),
            ("sql_lab.get_sql_results", 4711),
            ("reports.scheduler",),
            ("prune_logs",),
        ):
            assert route(task, *args) == "celery"

    def test_at_the_command_line_there_is_no_superset_to_ask(self, own):
        assert own.route_to_own_queue("reports.execute", (1,), {}, {}, SimpleNamespace()) is None
