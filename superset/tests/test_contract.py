"""What the overlay relies on in Superset. What fails after an upgrade must be looked at: docs/superset-overlay.md."""

import ast
import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
import superset

from world import all_metadata

SUPERSET = Path(superset.__file__).parent

# Superset's modules cannot be loaded before it stands.
pytestmark = pytest.mark.usefixtures("app")


def source_of(thing) -> str:
    return " ".join(inspect.getsource(thing).split())


def test_the_version_that_all_was_tested_on():
    from superset_tenancy.patches import TESTED_ON

    assert version("apache-superset") == TESTED_ON


class TestPatchStopQuery:
    def test_superset_stops_a_query_for_anybody(self, app):
        """The reason for the patch: when it goes, so does the patch."""
        from superset.daos.query import QueryDAO

        original = source_of(QueryDAO.stop_query.__wrapped__)
        assert "filter_by(client_id=client_id)" in original and "user_id" not in original

    def test_the_api_calls_what_is_patched(self):
        from superset.queries.api import QueryRestApi

        assert "QueryDAO.stop_query(" in source_of(QueryRestApi.stop_query)


class TestConnections:
    def test_the_context_is_entered_before_the_engine_is_made(self):
        from superset.models.core import Database

        source = source_of(Database.get_sqla_engine)
        assert "engine_context_manager(self, catalog, schema)" in source
        assert source.index("engine_context_manager(self") < source.index("self._get_sqla_engine(")

    def test_the_mutator_has_the_last_word(self):
        from superset.models.core import Database

        source = source_of(Database._get_sqla_engine)
        assert "DB_CONNECTION_MUTATOR( sqlalchemy_url, engine_kwargs, effective_username, security_manager, source, )" in source
        assert source.index("DB_CONNECTION_MUTATOR(") < source.index("create_engine(sqlalchemy_url, **engine_kwargs)")

    def test_nothing_else_makes_engines(self):
        """But for a command line tool, and for Google Sheets."""
        makers = {
            str(path.relative_to(SUPERSET))
            for path in SUPERSET.rglob("*.py")
            if not str(path.relative_to(SUPERSET)).startswith(("migrations/", "examples/"))
            and any(
                isinstance(node, ast.Call) and getattr(node.func, "id", "") == "create_engine"
                for node in ast.walk(ast.parse(path.read_text()))
            )
        }
        assert makers == {"models/core.py", "cli/test_db.py", "db_engine_specs/gsheets.py"}

    def test_the_uri_in_the_metadata_leads_nowhere(self, app, world):
        from sqlalchemy import create_engine
        from sqlalchemy.exc import OperationalError
        from superset import db
        from superset.models.core import Database

        with all_metadata(app):
            database = db.session.get(Database, world["tk4q9w"].database)
            assert database.password is None and database.encrypted_extra in (None, "")
            with pytest.raises(OperationalError, match="overlay.invalid"):
                create_engine(database.sqlalchemy_uri_decrypted).connect()

    def test_no_password_is_in_what_superset_logs(self, app, world, servers):
        """QUERY_LOGGER gets the URL of the engine."""
        from superset_tenancy.connections.credentials import login_of

        logged = []
        app.config["QUERY_LOGGER"] = lambda *given: logged.append(" ".join(map(str, given)))
        try:
            tenant = world["tk4q9w"]
            tenant.analyst.chart_data(tenant.datasets["orders"])
            tenant.analyst.sql(tenant.database, "SELECT 1 AS n")
        finally:
            app.config["QUERY_LOGGER"] = None
        assert len(logged) >= 2 and all(login_of("tk4q9w").password not in line for line in logged)

    def test_a_schema_is_chosen_by_a_statement_that_is_known(self, app, world):
        """The one that a connection through a proxy leaves out where it would change nothing."""
        from superset import db
        from superset.models.core import Database

        with all_metadata(app):
            database = db.session.get(Database, world["tk4q9w"].database)
            prequeries = database.db_engine_spec.get_prequeries(database=database, catalog=None, schema="analytics")
        assert prequeries == ['set search_path = "analytics"']
        source = source_of(Database.get_raw_connection)
        assert "cursor = conn.cursor() cursor.execute(prequery) yield conn" in source

    def test_the_schema_of_extensions_is_the_provisioners(self):
        from servers import REPOSITORY
        from superset_tenancy.connections.pooled_connection import EXTENSIONS

        place = REPOSITORY / "lib" / "provisioning" / "handler" / "per-tenant" / "place.ts"
        assert f"EXTENSIONS_SCHEMA = '{EXTENSIONS}'" in place.read_text()

    def test_the_question_for_the_process_is_in_the_transaction_of_the_query(self):
        """Behind a proxy, another transaction may be in another session."""
        from superset import sql_lab
        from superset.db_engine_specs.postgres import PostgresEngineSpec

        assert "SELECT pg_backend_pid()" in source_of(PostgresEngineSpec.get_cancel_query_id)
        source = source_of(sql_lab.execute_sql_statements)
        between = source[source.index("get_cancel_query_id(cursor, query)") : source.index("execute_query(query, cursor")]
        assert "conn.commit" not in between and "conn.rollback" not in between


class TestTasks:
    def test_the_tasks_that_are_routed_by_what_they_are_about_are_there(self, app):
        from superset.extensions import celery_app
        from superset.tasks import cache, scheduler, thumbnails  # noqa: F401

        from superset_tenancy.workers.own_queues import _THINGS

        assert set(_THINGS) <= set(celery_app.tasks)

    @pytest.mark.parametrize(
        "task, argument, position",
        [
            ("sql_lab.get_sql_results", "query_id", 0),
            ("reports.execute", "report_schedule_id", 0),
            ("cache_chart_thumbnail", "chart_id", 1),
            ("cache_dashboard_thumbnail", "dashboard_id", 1),
            ("cache_dashboard_screenshot", "dashboard_id", 1),
            ("fetch_url", "data", 0),
        ],
    )
    def test_their_arguments_are_where_they_were(self, app, task, argument, position):
        from superset.extensions import celery_app

        parameters = [name for name in inspect.signature(celery_app.tasks[task].run).parameters if name != "self"]
        assert parameters[position] == argument


class TestSecurityManager:
    @pytest.mark.parametrize("method", ["get_rls_cache_key", "raise_for_access", "get_user_roles", "is_guest_user", "is_admin"])
    def test_the_methods_are_there(self, method):
        from superset.security import SupersetSecurityManager

        assert callable(getattr(SupersetSecurityManager, method))

    def test_the_resources_that_access_is_asked_for_are_known(self):
        """A new kind of resource must be looked at in security.py."""
        from superset.security import SupersetSecurityManager

        assert set(inspect.signature(SupersetSecurityManager.raise_for_access).parameters) == {
            "self", "dashboard", "chart", "database", "datasource", "query", "query_context", "table", "viz", "sql",
            "catalog", "schema", "template_params",
        }  # fmt: skip

    def test_cache_keys_are_made_with_the_rls_key(self):
        from superset import viz
        from superset.common.query_context_processor import QueryContextProcessor

        for module in (viz.BaseViz.cache_key, QueryContextProcessor.query_cache_key):
            assert "security_manager.get_rls_cache_key(" in source_of(module)

    def test_guests_name_their_dashboards(self):
        from superset.security.guest_token import GuestUser

        assert 'self.resources = token["resources"]' in source_of(GuestUser.__init__)


class TestSettings:
    @pytest.mark.parametrize(
        "name",
        [
            "CUSTOM_SECURITY_MANAGER",
            "ENGINE_CONTEXT_MANAGER",
            "DB_CONNECTION_MUTATOR",
            "SQL_QUERY_MUTATOR",
            "EXTRA_RELATED_QUERY_FILTERS",
            "FLASK_APP_MUTATOR",
            "DISALLOWED_SQL_FUNCTIONS",
            "GUEST_ROLE_NAME",
        ],
    )
    def test_superset_still_reads_them(self, app, name):
        readers = [path for path in SUPERSET.rglob("*.py") if path.name != "config.py" and name in path.read_text()]
        assert readers and app.config[name] is not None

    def test_secure_defaults(self, app):
        config = app.config
        assert not config["FAB_ADD_SECURITY_API"] and not config["AUTH_USER_REGISTRATION"]
        assert config["SESSION_SERVER_SIDE"] and config["SESSION_COOKIE_HTTPONLY"]
        assert config["TALISMAN_ENABLED"] and not config["ENABLE_CORS"]
        assert config["SECRET_KEY"] != config["GUEST_TOKEN_JWT_SECRET"] != config["GLOBAL_ASYNC_QUERIES_JWT_SECRET"]

    def test_nothing_is_told_to_others(self, app):
        """Superset's pages load a picture from its maker's statistics by default."""
        page = app.test_client().get("/login/")
        policy = page.headers["Content-Security-Policy"]
        assert page.status_code == 200 and "scarf" not in policy and "http" not in policy.replace("'self'", "")

    def test_health_needs_no_login(self, app):
        assert app.test_client().get("/health").text == "OK"


class TestDialect:
    def test_a_server_is_asked_once_what_it_can(self, app, world):
        """And what is remembered is what SQLAlchemy would have found out."""
        from sqlalchemy import create_engine
        from sqlalchemy.dialects.postgresql.psycopg2 import PGDialect_psycopg2
        from sqlalchemy.engine import URL

        from superset_tenancy.connections import dialect, pools

        def engine(driver: str):
            url = URL.create(f"postgresql+{driver}", "tenant_tk4q9w", host="remembered", port=5432, database="analytics")
            return create_engine(url, creator=lambda: pools.borrow("tk4q9w"), use_native_hstore=False)

        dialect._known.pop(("remembered", 5432, "analytics", "tenant_tk4q9w"), None)
        asked = []
        found = []
        for driver in ("psycopg2", "tenancy", "tenancy"):
            made = engine(driver)
            assert isinstance(made.dialect, PGDialect_psycopg2)
            counted = count_statements(made)
            with made.connect() as connection:
                connection.exec_driver_sql("SELECT 1")
            asked.append(counted[0])
            plain = {name: value for name, value in vars(made.dialect).items() if isinstance(value, (str, bool, tuple))}
            found.append(plain)
            made.dispose()
        assert asked[0] == asked[1] > asked[2] == 0
        assert found[0] == found[1] == found[2]


def count_statements(engine) -> list[int]:
    """How many statements the dialect runs to get to know its server."""
    counted = [0]
    original = engine.dialect.initialize

    def initialize(connection):
        cursor_execute = engine.dialect.do_execute

        def do_execute(*arguments, **options):
            counted[0] += 1
            return cursor_execute(*arguments, **options)

        engine.dialect.do_execute = do_execute
        engine.dialect.do_execute_no_params = do_execute
        original(connection)
        del engine.dialect.do_execute, engine.dialect.do_execute_no_params

    engine.dialect.initialize = initialize
    return counted


class TestEventLog:
    def test_a_request_is_one_line(self, app, world):
        from superset import db
        from superset.models.core import Log

        def lines() -> list[str]:
            with all_metadata(app):
                return [log.action for log in db.session.query(Log).order_by(Log.id)]

        tenant = world["tk4q9w"]
        before = len(lines())
        tenant.analyst.chart_data(tenant.datasets["orders"])
        assert lines()[before:] == ["ChartDataRestApi.data"]
