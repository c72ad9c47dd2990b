"""Tenants that log in with tokens of IAM: to their own database by the proxy that their Database names, and to nowhere else.

What takes the tokens checks each as RDS does: who signed it, for which host, port and role, and when.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import psycopg2
import pytest
from test_chaos import web_server
from test_pools import ask, close_all

from world import Person, Web, all_metadata, rows

#: Rows of each tenant in the database of its own.
ORDERS = {"tk4q9w": 3, "tz81mm": 5}
PROXY = "proxy-a"


@pytest.fixture(scope="module")
def own_databases(servers, app, world):
    """What the provisioner makes: a database for each tenant, and roles that take tokens only."""
    with all_metadata(app):
        set_uris({tenant: f"postgresql+psycopg2://{tenant}@{PROXY}.overlay.invalid/" for tenant in ORDERS})
    for tenant, orders in ORDERS.items():
        role = f"tenant_{tenant}"
        servers.as_superuser(f"CREATE DATABASE {role}")
        servers.as_superuser(f"REVOKE ALL ON DATABASE {role} FROM PUBLIC")
        servers.as_superuser(f"GRANT CONNECT ON DATABASE {role} TO {role}")
        servers.as_superuser(f"ALTER ROLE {role} IN DATABASE {role} SET search_path = analytics")
        connection = psycopg2.connect(**{**servers.superuser, "dbname": role})
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA analytics")
            cursor.execute(f"CREATE TABLE analytics.orders AS SELECT n FROM generate_series(1, {orders}) n")
            cursor.execute(f"GRANT USAGE ON SCHEMA analytics TO {role}")
            cursor.execute(f"GRANT SELECT ON analytics.orders TO {role}")
        connection.close()
        servers.as_superuser(f"GRANT rds_iam TO {role}")
    yield
    with all_metadata(app):
        set_uris({tenant: f"postgresql+psycopg2://{tenant}@overlay.invalid/" for tenant in ORDERS})
    for tenant in ORDERS:
        servers.as_superuser(f"REVOKE rds_iam FROM tenant_{tenant}")
        servers.as_superuser(f"DROP DATABASE tenant_{tenant} WITH (FORCE)")


def set_uris(uris: dict[str, str]) -> None:
    """As a platform administrator could, who writes what he likes into a Database."""
    from superset import db
    from superset.models.core import Database

    from superset_tenancy import names

    for tenant, uri in uris.items():
        db.session.query(Database).filter_by(uuid=names.database_uuid(tenant)).update({"sqlalchemy_uri": uri})
    db.session.commit()


@pytest.fixture
def pools(servers, own_databases, monkeypatch):
    from superset_tenancy.connections import pools, tokens

    close_all(pools)
    tokens._logins.clear()
    monkeypatch.setattr(tokens, "PROXIES", tokens.read_token_proxies(json.dumps({PROXY: servers.token_proxy}), ""))
    servers.tokens()
    yield pools
    close_all(pools)


def borrowed(pools, tenant: str, statement: str = "SELECT pg_backend_pid()"):
    connection = pools.borrow(tenant, PROXY)
    try:
        return ask(connection, statement)
    finally:
        connection.close()


class TestQueries:
    def test_run_as_the_tenant_in_its_own_database(self, pools, servers, me):
        assert rows(me.analyst.chart_data(me.datasets["orders"])) == [{"n": ORDERS[me.id]}]
        answer = me.analyst.sql(me.database, "SELECT session_user AS who, current_database() AS place")
        assert rows(answer) == [{"who": f"tenant_{me.id}", "place": f"tenant_{me.id}"}]
        tokens = servers.tokens()
        assert tokens.refusals == []
        assert {re.search(r"DBUser=(\w+)", token)[1] for token in tokens.taken} == {f"tenant_{me.id}"}

    def test_do_not_reach_the_other(self, pools, servers, me, other):
        for answer in (
            me.analyst.chart_data(other.datasets["orders"]),
            me.analyst.sql(other.database, "SELECT count(*) AS n FROM orders"),
            me.analyst.sql(me.database, f"SELECT count(*) FROM tenant_{other.id}.analytics.orders"),
        ):
            assert answer.status_code != 200, answer.text
        assert not any(f"tenant_{other.id}" in token for token in servers.tokens().taken)

    def test_of_a_web_server_that_has_no_secrets_of_tenants(self, servers, own_databases, me):
        environment = {"SUPERSET_TENANT_SECRET": "", "SUPERSET_TOKEN_PROXIES": json.dumps({PROXY: servers.token_proxy})}
        with web_server(servers, environment) as url:
            analyst = Person(Web(url), f"analyst-{me.id}")
            assert rows(analyst.chart_data(me.datasets["orders"])) == [{"n": ORDERS[me.id]}]


class TestADatabaseThatAnAdministratorChanged:
    """No token is signed for what is not the tenant's, or not the platform's."""

    @pytest.mark.parametrize(
        "uri",
        [
            "postgresql+psycopg2://tk4q9w@elsewhere.example.com/",
            "postgresql+psycopg2://tk4q9w@localhost:{port}/",
            "postgresql+psycopg2://tk4q9w@proxy-b.overlay.invalid/",
            "postgresql+psycopg2://tk4q9w@overlay.invalid/",
            "postgresql+psycopg2://tk4q9w@elsewhere.example.com/?x=@proxy-a.overlay.invalid/",
            "postgresql+psycopg2://tk4q9w@proxy-a.overlay.invalid@elsewhere.example.com/",
            "postgresql+psycopg2://tk4q9w@proxy-a.overlay.invalid.example.com/",
            "postgresql+psycopg2://tz81mm@proxy-a.overlay.invalid/",
            "postgresql+psycopg2://tenant_tz81mm:x@proxy-a.overlay.invalid/",
        ],
    )
    def test_gets_no_token(self, pools, servers, app, world, uri):
        from superset_tenancy.connections import tokens

        mine = world["tk4q9w"]
        with all_metadata(app):
            set_uris({"tk4q9w": uri.format(port=servers.token_proxy.rpartition(":")[2])})
        try:
            assert mine.analyst.chart_data(mine.datasets["orders"]).status_code != 200
            assert mine.analyst.sql(mine.database, "SELECT 1").status_code != 200
        finally:
            with all_metadata(app):
                set_uris({"tk4q9w": f"postgresql+psycopg2://tk4q9w@{PROXY}.overlay.invalid/"})
        assert tokens._logins == {}
        assert servers.tokens().taken == []

    def test_still_leads_to_the_tenants_own_database(self, pools, app, world):
        """Its port, database and parameters are not looked at."""
        mine = world["tk4q9w"]
        with all_metadata(app):
            set_uris({"tk4q9w": f"postgresql+psycopg2://tk4q9w@{PROXY}.overlay.invalid/tenant_tz81mm?host=elsewhere.example.com"})
        try:
            answer = mine.analyst.sql(mine.database, "SELECT current_database() AS place")
            assert rows(answer) == [{"place": "tenant_tk4q9w"}]
        finally:
            with all_metadata(app):
                set_uris({"tk4q9w": f"postgresql+psycopg2://tk4q9w@{PROXY}.overlay.invalid/"})


class TestTokens:
    @staticmethod
    def sign_earlier(seconds: float):
        then = datetime.now(UTC) - timedelta(seconds=seconds)
        return patch("botocore.auth.get_current_datetime", lambda *_, **__: then.replace(tzinfo=None))

    def test_that_expired_do_not_end_what_is_connected_and_a_new_connection_gets_a_new_one(self, pools, servers):
        pid = borrowed(pools, "tk4q9w")
        with self.sign_earlier(16 * 60):
            from superset_tenancy.connections import tokens

            tokens._logins.clear()
            tokens.token_login("tk4q9w", PROXY)
        assert borrowed(pools, "tk4q9w") == pid
        servers.tokens()

        first = pools.borrow("tk4q9w", PROXY)
        second = pools.borrow("tk4q9w", PROXY)
        pids = {ask(connection, "SELECT pg_backend_pid()") for connection in (first, second)}
        first.close(), second.close()
        assert pid in pids and len(pids) == 2
        told = servers.tokens()
        assert len(told.taken) == 1
        assert told.refusals and all(re.fullmatch(r"it is 9\d\d.* seconds old", why) for why in told.refusals)

    def test_are_used_again_while_they_are_young(self, pools, servers):
        held = [pools.borrow("tk4q9w", PROXY) for _ in range(3)]
        for connection in held:
            connection.close()
        taken = servers.tokens().taken
        assert len(taken) == 3 and len(set(taken)) == 1

    def test_are_signed_anew_long_before_they_expire(self, pools):
        from superset_tenancy.connections import tokens

        with self.sign_earlier(tokens.MAX_AGE):
            old = tokens.token_login("tk4q9w", PROXY)
        (key,) = tokens._logins
        signed_at, login = tokens._logins[key]
        assert tokens.token_login("tk4q9w", PROXY) is old
        tokens._logins[key] = (signed_at - tokens.MAX_AGE, login)
        assert tokens.token_login("tk4q9w", PROXY).password != old.password
        assert tokens.MAX_AGE <= 10 * 60

    def test_of_a_tenant_do_not_open_the_database_of_another(self, pools, servers):
        from superset_tenancy.connections.tokens import token_login

        login = token_login("tk4q9w", PROXY)
        for changed in ({"dbname": "tenant_tz81mm"}, {"dbname": "tenant_tz81mm", "user": "tenant_tz81mm"}):
            arguments = {"dbname": login.database, "user": login.username, **changed}
            with pytest.raises(psycopg2.OperationalError, match="permission denied|PAM authentication failed"):
                psycopg2.connect(host=login.host, port=login.port, password=login.password, sslmode="require", **arguments)

    def test_are_not_shown(self, pools):
        from superset_tenancy.connections.tokens import token_login

        login = token_login("tk4q9w", PROXY)
        connection = pools.borrow("tk4q9w", PROXY)
        assert login.password not in connection.dsn + repr(login)
        connection.close()

    def test_end_with_the_login(self, pools, servers):
        """A tenant that is removed: its role may not log in, and its sessions were ended."""
        borrowed(pools, "tk4q9w")
        servers.as_superuser("ALTER ROLE tenant_tk4q9w NOLOGIN")
        servers.as_superuser("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenant_tk4q9w'")
        try:
            with pytest.raises(psycopg2.OperationalError, match="is not permitted to log in"):
                borrowed(pools, "tk4q9w")
        finally:
            servers.as_superuser("ALTER ROLE tenant_tk4q9w LOGIN")


class TestVariables:
    @pytest.mark.parametrize("text", ["[]", "x", '{"a": 2}', '{"a": "b"}', '{"a": "b:x"}'])
    def test_that_say_nothing_are_refused_at_start(self, text):
        from superset_tenancy.connections.tokens import read_token_proxies

        with pytest.raises(RuntimeError, match="SUPERSET_TOKEN_PROXIES"):
            read_token_proxies(text, "")

    @pytest.mark.parametrize("text, secret", [("", ""), ("{}", ""), ('{"a": "b:1"}', "superset/{tenant}")])
    def test_that_leave_open_how_to_log_in_are_refused_at_start(self, text, secret):
        from superset_tenancy.connections.tokens import read_token_proxies

        with pytest.raises(RuntimeError, match="one way to log in"):
            read_token_proxies(text, secret)

    def test_with_secrets_the_name_of_a_proxy_is_not_looked_at(self, servers, own_databases, app):
        from superset_tenancy.connections import credentials, pools, tokens

        assert tokens.PROXIES == {}
        assert pools.admitted_login("tk4q9w", PROXY) == credentials.login_of("tk4q9w")
