"""Through a proxy that gives each transaction a session: nothing pins one, nothing is carried over, what breaks heals.

PgBouncer stands for RDS Proxy. It does not pin, so what would is looked for in all that Superset says to it.
"""

import copy
import json
import re
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
from listener import Listener
from test_attacks import LONG, results, run_async, running, wait_until
from test_pools import LEFT_BEHIND, TENANTS, ask, carried_over, close_all, once

from world import query_context, rows

#: As AWS' documentation has it ("Avoiding pinning an RDS Proxy"), in words that none of our statements has for another reason.
PINNING = re.compile(
    r"\b(SET|RESET|PREPARE|EXECUTE|DEALLOCATE|DISCARD|DECLARE|FETCH|LISTEN|LOAD|TEMP|TEMPORARY"
    r"|nextval|setval|set_config|pg_advisory\w*|pg_try_advisory\w*)\b",
    re.IGNORECASE,
)


def through(proxies, login, host: str, port: int) -> dict:
    return {proxies.Endpoint(login.host, login.port): proxies.Endpoint(host, port)}


@pytest.fixture(scope="module")
def one_schema(servers, world):
    """Roles as a tenant with a database of its own has them: their tables are found in one schema, functions in another."""
    before = {}
    servers.as_superuser("CREATE SCHEMA extensions")
    for tenant in world.values():
        role = f"tenant_{tenant.id}"
        settings = servers.as_superuser("SELECT unnest(setconfig) FROM pg_db_role_setting WHERE setrole = %s::regrole", role)
        before[role] = next(text.partition("=")[2] for (text,) in settings if text.startswith("search_path="))
        servers.as_superuser(f"ALTER ROLE {role} SET search_path = analytics, extensions")
        servers.as_superuser(f"GRANT USAGE ON SCHEMA extensions TO {role}")
        # Sessions that the proxy has already were begun with the path of before.
        servers.as_superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", role)
    yield
    for role, path in before.items():
        servers.as_superuser(f"ALTER ROLE {role} SET search_path = {path}")
    servers.as_superuser("DROP SCHEMA extensions")


@pytest.fixture
def pools(servers, one_schema, monkeypatch):
    """The pools, with the tenants' server behind the proxy."""
    from superset_tenancy.connections import credentials, pools, proxies

    close_all(pools)
    credentials._logins.clear()
    login = credentials.login_of("tk4q9w")
    monkeypatch.setattr(proxies, "PROXIES", through(proxies, login, servers.proxy["host"], servers.proxy["port"]))
    yield pools
    close_all(pools)


@pytest.fixture
def listener(pools, servers, monkeypatch):
    """Writes down all that is said to the proxy."""
    from superset_tenancy.connections import proxies
    from superset_tenancy.connections.credentials import login_of

    listener = Listener(servers.proxy["host"], servers.proxy["port"], servers.proxy["listener"])
    monkeypatch.setattr(proxies, "PROXIES", through(proxies, login_of("tk4q9w"), "localhost", listener.port))
    with listener.listening():
        yield listener
        close_all(pools)


@pytest.fixture(scope="module")
def own_worker(servers, one_schema):
    """A worker of one tenant's own, which asks through the proxy; and who listens to it."""
    from superset_tenancy.connections.credentials import login_of

    login = login_of("tk4q9w")
    listener = Listener(servers.proxy["host"], servers.proxy["port"], servers.proxy["listener"])
    proxies = {f"{login.host}:{login.port}": f"localhost:{listener.port}"}
    environment = {"SUPERSET_DATABASE_PROXIES": json.dumps(proxies), "SUPERSET_TENANT_CONNECTIONS": "3"}
    with (
        listener.listening(),
        servers.running("worker", "-Q", "tenant_tk4q9w", "--hostname=own@%h", environment=environment),
    ):
        yield listener


@pytest.fixture
def own_queue(own_worker, monkeypatch):
    """Queries of one tenant run on its own worker."""
    from superset_tenancy.workers import own_queues

    monkeypatch.setattr(own_queues, "TENANTS", frozenset({"tk4q9w"}))
    return own_worker


class TestEveryRequest:
    """What our own path says, by the way that asks."""

    def chart(self, tenant):
        assert rows(tenant.analyst.chart_data(tenant.datasets["orders"])) == [{"n": tenant.orders}]

    def chart_of_a_dashboard(self, tenant):
        answer = tenant.viewer.chart_data(tenant.datasets["orders"], dashboard=tenant.dashboard, chart=tenant.chart)
        assert rows(answer) == [{"n": tenant.orders}]

    def saved_chart(self, tenant):
        assert rows(tenant.analyst.get(f"/api/v1/chart/{tenant.chart}/data/?force=true")) == [{"n": tenant.orders}]

    def sql_with_its_schema(self, tenant):
        answer = tenant.analyst.sql(tenant.database, "SELECT count(*) AS n FROM orders", schema="analytics")
        assert rows(answer) == [{"n": tenant.orders}]

    def sql_without_a_schema(self, tenant):
        answer = tenant.analyst.sql(tenant.database, "SELECT count(*) AS n FROM orders", schema=None)
        assert rows(answer) == [{"n": tenant.orders}]

    def csv_of_a_query(self, tenant):
        id = tenant.analyst.sql(tenant.database, "SELECT count(*) AS n FROM orders").json["query"]["id"]
        answer = tenant.analyst.get(f"/api/v1/sqllab/export/{id}/")
        assert answer.text.replace("\ufeff", "").split() == ["n", str(tenant.orders)]

    def schemas_and_tables(self, tenant):
        assert "analytics" in tenant.analyst.get(f"/api/v1/database/{tenant.database}/schemas/").json["result"]
        answer = tenant.analyst.get(f"/api/v1/database/{tenant.database}/tables/?q=(schema_name:analytics,force:!t)")
        assert "orders" in answer.text

    def columns(self, tenant):
        path = f"/api/v1/database/{tenant.database}/table_metadata/?name=orders&schema=analytics"
        assert "customer" in tenant.analyst.get(path).text

    def new_dataset_with_its_types(self, tenant):
        id = tenant.analyst.create(
            "dataset", database=tenant.database, schema="analytics", table_name=f"v{uuid.uuid4().hex[:6]}",
            sql="SELECT *, 1.5 AS price, now() AS seen FROM orders",
        )  # fmt: skip
        columns = tenant.analyst.get(f"/api/v1/dataset/{id}").json["result"]["columns"]
        assert {column["column_name"] for column in columns} >= {"customer", "price", "seen"}
        tenant.analyst.delete(f"/api/v1/dataset/{id}")

    def samples(self, tenant):
        body = {**query_context(tenant.datasets["orders"], columns=["customer"], metrics=[]), "result_type": "samples"}
        assert tenant.analyst.post("/api/v1/chart/data", body).status_code == 200

    def data_frame(self, tenant, app):
        """What alerts and annotations ask by."""
        from superset import db, security_manager
        from superset.models.core import Database
        from superset.utils.core import override_user

        with app.test_request_context(), override_user(security_manager.find_user(tenant.analyst.username)):
            database = db.session.get(Database, tenant.database)
            assert database.get_df("SELECT count(*) AS n FROM orders", schema="analytics").n[0] == tenant.orders

    WAYS = [
        chart, chart_of_a_dashboard, saved_chart, sql_with_its_schema, sql_without_a_schema, csv_of_a_query, schemas_and_tables,
        columns, new_dataset_with_its_types, samples,
    ]  # fmt: skip

    @pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
    def test_pins_nothing(self, world, listener, way):
        self.says_nothing_that_pins(listener, lambda: way(self, world["tk4q9w"]))

    def test_of_a_data_frame_pins_nothing(self, app, world, listener):
        self.says_nothing_that_pins(listener, lambda: self.data_frame(world["tk4q9w"], app))

    def says_nothing_that_pins(self, listener, ask_superset) -> None:
        from superset_tenancy.connections import dialect

        dialect._known.clear()
        ask_superset()
        ask_superset()
        assert listener.statements
        assert [statement for statement in listener.statements if PINNING.search(statement)] == []
        assert max(map(len, listener.statements)) < 16 * 1024 and listener.others == set()
        assert all(set(startup) & {"options", "search_path", "DateStyle"} == set() for startup in listener.startups)
        # Each connection served more than once.
        assert len(listener.startups) < sum("session_user" in statement for statement in listener.statements)


class TestPinning:
    @pytest.mark.parametrize("leave", [leave for leave, _ in LEFT_BEHIND.values() if leave != "SELECT 1"])
    def test_what_changes_the_session_is_found(self, pools, leave):
        from superset_tenancy.connections.pinning import pins

        assert pins(leave.encode())

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT 1; SET x.y = 'z'",
            "SELECT ';' ; /* ; */ DISCARD ALL",
            "/* SELECT */ SET x.y = 'z'",
            "SELECT 1 --\r; SET x.y = 'z'",
            "SELECT \"set_config\"('a.b', 'c', false)",
            "SELECT U&\"set\\005fconfig\"('a.b', 'c', false)",
            "SELECT * INTO TEMP t FROM orders",
            "EXPLAIN EXECUTE p",
            "(((TRUNCATE orders)))",
            "SELECT '" + "x" * 16384 + "'",
            "é",
        ],
    )
    def test_so_is_what_hides(self, statement):
        from superset_tenancy.connections.pinning import pins

        assert pins(statement.encode())

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT count(*) FROM orders",
            "-- by month\nWITH m AS (SELECT 1) SELECT * FROM m;\n",
            "(SELECT 1) UNION (SELECT 2); -- done",
            "SELECT settings, offset_set AS \"set\" FROM t WHERE note = 'please do call'",
            "VALUES (1)",
            "SHOW work_mem",
            "EXPLAIN SELECT 1",
        ],
    )
    def test_queries_pin_nothing(self, statement):
        from superset_tenancy.connections.pinning import pins

        assert not pins(statement.encode())

    @pytest.mark.parametrize("leave, look", LEFT_BEHIND.values(), ids=LEFT_BEHIND)
    def test_nothing_is_left_behind(self, pools, leave, look):
        clean = once(pools, "tk4q9w", look)
        once(pools, "tk4q9w", leave)
        assert once(pools, "tk4q9w", look) == clean

    def test_a_csv_that_is_streamed_pins_for_its_own_time_only(self, world, listener):
        """It uses a cursor of the server, since the result may be larger than this process; then its connection ends."""
        tenant = world["tk4q9w"]
        id = tenant.analyst.sql(tenant.database, "SELECT count(*) AS n FROM orders").json["query"]["id"]
        before = len(listener.startups)
        person = tenant.analyst
        answer = person.client.post("/api/v1/sqllab/export_streaming/", data={"client_id": id}, headers=person.headers)
        assert answer.text.replace("\ufeff", "").split() == ["n", str(tenant.orders)]
        assert any(statement.startswith("DECLARE") for statement in listener.statements)
        assert person.sql(tenant.database, "SELECT 1 AS n").status_code == 200
        assert len(listener.startups) == before + 1

    def test_another_schema_is_set_and_not_kept(self, world, listener):
        tenant = world["tk4q9w"]
        for schema in (f"tenant_{tenant.id}", "analytics"):
            answer = tenant.analyst.sql(tenant.database, "SELECT current_schema() AS s", schema=schema)
            assert rows(answer) == [{"s": schema}]
        assert listener.statements.count(f'set search_path = "tenant_{tenant.id}"') == 1
        assert not any("DISCARD" in statement for statement in listener.statements)
        # The first connection did not serve the second query.
        assert len(listener.startups) == 2


class TestConnections:
    def test_go_through_the_proxy_and_are_kept(self, pools, listener):
        for _ in range(3):
            assert once(pools, "tk4q9w") == "tenant_tk4q9w"
        assert len(listener.startups) == 1
        # The question who it is, and the query, in one transaction.
        assert [statement.split()[0] for statement in listener.statements] == ["BEGIN", "SELECT", "SELECT", "ROLLBACK"] * 3

    def test_a_query_of_superset_runs_in_the_transaction_that_was_asked_who_it_is(self, world, listener):
        """SQLAlchemy rolls each new engine's connection back, which would end that transaction."""
        tenant = world["tk4q9w"]
        for _ in range(2):
            listener.statements.clear()
            assert rows(tenant.analyst.chart_data(tenant.datasets["orders"])) == [{"n": tenant.orders}]
        begin, who, query, end = listener.statements
        assert (begin, end) == ("BEGIN", "ROLLBACK") and "session_user" in who and "COUNT(*)" in query

    def test_to_a_server_that_is_not_listed_go_there(self, pools, servers, monkeypatch):
        from superset_tenancy.connections import proxies

        assert proxies.read_proxies("") == proxies.read_proxies("{}") == {}
        monkeypatch.setattr(proxies, "PROXIES", proxies.read_proxies('{"elsewhere.example.com:5432": "localhost:1"}'))
        connection = pools.borrow("tk4q9w")
        assert connection.info.port == servers.superuser["port"]
        connection.close()

    @pytest.mark.parametrize("text", ["[]", "x", '{"a:1": 2}', '{"a": "b:1"}', '{"a:x": "b:1"}'])
    def test_a_variable_that_says_nothing_is_refused_at_start(self, text):
        from superset_tenancy.connections.proxies import read_proxies

        with pytest.raises(RuntimeError, match="SUPERSET_DATABASE_PROXIES"):
            read_proxies(text)

    def test_sessions_are_shared_by_transactions_of_a_role_and_of_no_other(self, pools, servers):
        """Many more connections than the proxy has sessions."""
        seen: dict[str, set[int]] = {tenant: set() for tenant in TENANTS}

        def work(number: int) -> None:
            tenant = TENANTS[number % 2]
            connection = pools.borrow(tenant)
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT session_user, current_user, pg_backend_pid()")
                    *roles, pid = cursor.fetchone()
                assert roles == [f"tenant_{tenant}"] * 2
                seen[tenant].add(pid)
            finally:
                connection.close()

        with ThreadPoolExecutor(12) as threads:
            list(threads.map(work, range(200)))
        assert seen[TENANTS[0]] & seen[TENANTS[1]] == set() and all(seen.values())

    def test_a_session_of_another_role_is_not_used(self, pools, servers, caplog):
        """As if the proxy mixed its sessions up."""
        connection = pools.borrow("tk4q9w")
        connection.role = "tenant_tz81mm"
        connection.close()
        assert once(pools, "tk4q9w") == "tenant_tk4q9w"
        assert "was found as" in caplog.text

    def test_a_hundred_requests_of_two_tenants_carry_nothing_over(self, app, world, pools):
        """Half of them leave something behind, the others look."""
        dirty, left = carried_over(app, world, times=50)
        assert dirty == [] and left > 25

    def test_a_hundred_charts_and_queries_at_once_are_each_tenants_own(self, app, world, pools):
        def work(number: int) -> None:
            tenant = world[TENANTS[number % 2]]
            if number % 4 < 2:
                answer = tenant.analyst.chart_data(tenant.datasets["orders"])
            else:
                answer = tenant.analyst.sql(tenant.database, "SELECT count(*) AS n FROM orders")
            assert rows(answer) == [{"n": tenant.orders}]

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(work, range(100)))


class TestWhatBreaks:
    def test_a_restarted_proxy_is_waited_for(self, pools, servers):
        """What is kept is replaced; only a query in flight may fail."""
        once(pools, "tk4q9w")
        restart = threading.Thread(target=servers.restart, args=("proxy",))
        restart.start()
        failed = []
        while restart.is_alive():
            try:
                once(pools, "tk4q9w")
            except psycopg2.OperationalError as error:
                failed.append(str(error))
            time.sleep(0.05)
        restart.join()
        assert once(pools, "tk4q9w") == "tenant_tk4q9w"
        assert len(failed) <= 1 and all("did not finish" in text for text in failed), failed

    def test_a_restarted_server_behind_it_is_waited_for(self, pools, servers):
        once(pools, "tk4q9w")
        servers.restart("postgres")
        assert once(pools, "tk4q9w") == "tenant_tk4q9w"

    def test_a_rotation_under_load_costs_no_query(self, pools, servers):
        """The role has a new password, then the proxy, then the secret."""
        from superset_tenancy.connections.credentials import login_of

        login = login_of("tk4q9w")
        name = "superset/tenant/tk4q9w/db_credentials"
        value = {key: str(getattr(login, key)) for key in ("username", "host", "port", "database")}
        stopping, failed, answered = threading.Event(), [], []

        def ask_on() -> None:
            while not stopping.is_set():
                try:
                    answered.append(once(pools, "tk4q9w"))
                except psycopg2.Error as error:
                    failed.append(str(error))

        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            time.sleep(0.3)
            servers.as_superuser("ALTER ROLE tenant_tk4q9w PASSWORD 'rotated'")
            servers.as_superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenant_tk4q9w'")
            time.sleep(0.7)
            servers.set_proxy_password("tenant_tk4q9w", "rotated")
            time.sleep(0.7)
            servers.set_secret(name, {**value, "password": "rotated", "version": "rotated"})
            # Clients that come anew.
            close_all(pools)
            before = len(answered)
            wait_until(lambda: len(answered) > before + 20)
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
            servers.as_superuser("ALTER ROLE tenant_tk4q9w PASSWORD %s", login.password)
            servers.set_proxy_password("tenant_tk4q9w", login.password)
            servers.set_secret(name, {**value, "password": login.password, "version": "back"})
        assert set(answered) == {"tenant_tk4q9w"}
        # One in flight of each thread, when the sessions were ended.
        assert len(failed) <= 3 and all("did not finish" in text for text in failed), failed

    def test_a_role_that_the_proxy_does_not_take_gets_the_reason_in_words(self, pools, servers, monkeypatch):
        from superset_tenancy.connections.credentials import login_of

        monkeypatch.setattr(pools, "PATIENCE", 1)
        login = login_of("tk4q9w")
        servers.set_proxy_password("tenant_tk4q9w", "another")
        try:
            with pytest.raises(psycopg2.OperationalError, match="does not accept your organisation's login"):
                once(pools, "tk4q9w")
            assert once(pools, "tz81mm") == "tenant_tz81mm"
        finally:
            servers.set_proxy_password("tenant_tk4q9w", login.password)

    def test_sessions_that_are_all_in_use_are_waited_for_then_named(self, pools, servers, monkeypatch):
        held = [pools.borrow("tk4q9w") for _ in range(4)]
        timer = threading.Timer(2.5, lambda: [connection.close() for connection in held])
        try:
            monkeypatch.setattr(pools, "PATIENCE", 1)
            with pytest.raises(psycopg2.OperationalError, match="are in use. Try again in a moment. .no session was free"):
                pools.borrow("tk4q9w")
            monkeypatch.setattr(pools, "PATIENCE", 10)
        finally:
            timer.start()
        assert once(pools, "tk4q9w") == "tenant_tk4q9w"
        timer.join()

    @pytest.mark.parametrize(
        "text",
        [
            "FATAL:  The password that was provided for the role tenant_x is wrong.",
            "FATAL:  This RDS proxy has no credentials for the role tenant_x. Check the credentials for this role and try again.",
            "FATAL:  Timed-out waiting to acquire database connection",
            "FATAL:  The maximum number of client connections to the proxy exceeded 100",
            "FATAL:  server login has been failing, try again later (server_login_retry)",
        ],
    )
    def test_what_rds_proxy_says_is_known(self, text):
        from superset_tenancy.connections import passing

        error = psycopg2.OperationalError(text)
        assert passing.passes(error) and "tenant_x" not in str(passing.in_words(error))


class TestStop:
    """A query is ended by another connection, which the proxy gives another session."""

    def test_a_query_that_a_web_server_runs(self, world, pools, servers):
        tenant = world["tk4q9w"]
        answers = []
        client_id = uuid.uuid4().hex[:10]
        run = threading.Thread(
            target=lambda: answers.append(tenant.analyst.sql(tenant.database, LONG, client_id=client_id, schema=None))
        )
        run.start()
        wait_until(lambda: running(servers, tenant))
        self.stops(world, servers, client_id)
        run.join()
        assert answers[0].status_code != 200 or "stopped" in answers[0].text, answers[0].text
        assert rows(tenant.analyst.chart_data(tenant.datasets["orders"])) == [{"n": tenant.orders}]

    def test_a_query_that_a_worker_runs(self, world, pools, servers, own_queue):
        tenant = world["tk4q9w"]
        query = tenant.analyst.sql(tenant.database, LONG, runAsync=True).json["query"]
        wait_until(lambda: running(servers, tenant), 60)
        self.stops(world, servers, query["id"])
        status = []
        # Superset's worker and its web server both write the status; whichever is last.
        wait_until(lambda: status.append(self.status(tenant, query)) or status[-1] in ("stopped", "failed"), seen=status)

    def test_a_query_whose_client_has_left(self, app, world, listener, servers):
        """RDS Proxy takes no request to cancel, which PgBouncer does: another session asks for it."""
        tenant = world["tk4q9w"]
        browser, server = socket.socketpair()
        client = app.test_client()
        client.environ_base["gunicorn.socket"] = server
        answers = []
        leaving = copy.copy(tenant.analyst)
        leaving.client = client
        run = threading.Thread(target=lambda: answers.append(leaving.sql(tenant.database, LONG, schema=None)))
        run.start()
        wait_until(lambda: running(servers, tenant))
        browser.close()
        wait_until(lambda: not running(servers, tenant))
        run.join()
        server.close()
        assert answers[0].status_code != 200 and "has left" in answers[0].text, answers[0].text
        assert any("pg_cancel_backend" in statement for statement in listener.statements)
        assert rows(tenant.analyst.chart_data(tenant.datasets["orders"])) == [{"n": tenant.orders}]

    def status(self, tenant, query: dict) -> str:
        return tenant.analyst.get(f"/api/v1/query/{query['queryId']}").json["result"]["status"]

    def stops(self, world, servers, client_id: str) -> None:
        me, other = world["tk4q9w"], world["tz81mm"]
        refused = other.analyst.post("/api/v1/query/stop", {"client_id": client_id})
        still = running(servers, me)
        stopped = me.analyst.post("/api/v1/query/stop", {"client_id": client_id})
        assert refused.status_code == 404 and still
        assert stopped.status_code == 200, stopped.text
        wait_until(lambda: not running(servers, me))

    def test_postgresql_ends_no_session_of_another_role(self, pools):
        connection = pools.borrow("tk4q9w")
        pid = ask(connection, "SELECT pg_backend_pid()")
        with pytest.raises(psycopg2.Error, match="permission denied"):
            once(pools, "tz81mm", f"SELECT pg_terminate_backend({pid})")
        assert ask(connection, "SELECT 1") == 1
        connection.close()


class TestOwnQueue:
    def test_a_tenants_queries_run_on_its_own_worker_only(self, world, pools, own_queue, worker):
        """Two workers: one of the tenant's own, through the proxy; one for all others."""
        me, other = world["tk4q9w"], world["tz81mm"]
        before = done_by_worker()
        for tenant, times in ((me, 2), (other, 1)):
            for _ in range(times):
                query = run_async(tenant.analyst, tenant.database, "SELECT count(*) AS n FROM orders")
                assert rows(results(tenant.analyst, query["results_key"])) == [{"n": tenant.orders}]
        done = done_by_worker()
        assert {name: done[name] - before.get(name, 0) for name in done} == {"own": 2, "celery": 1}

    @pytest.mark.parametrize("schema", [None, "analytics"])
    def test_a_query_on_a_worker_pins_nothing(self, world, own_queue, schema):
        tenant = world["tk4q9w"]
        own_queue.statements.clear()
        query = run_async(tenant.analyst, tenant.database, "SELECT count(*) AS n FROM orders", schema=schema)
        assert rows(results(tenant.analyst, query["results_key"])) == [{"n": tenant.orders}]
        assert own_queue.statements and [text for text in own_queue.statements if PINNING.search(text)] == []


def done_by_worker() -> dict[str, int]:
    from superset.extensions import celery_app

    stats = celery_app.control.inspect(timeout=3).stats() or {}
    return {name.partition("@")[0]: told["total"].get("sql_lab.get_sql_results", 0) for name, told in stats.items()}
