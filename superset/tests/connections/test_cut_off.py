"""A tenant whose secret cannot be read any longer is out, within a minute; nobody else is concerned."""

import logging

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from test_attacks import wait_until
from test_pools import ask, close_all, once

from world import rows

SECRET = "superset/tenant/tk4q9w/db_credentials"


@pytest.fixture
def pools(servers):
    from superset_tenancy.connections import credentials, pools

    close_all(pools)
    credentials._logins.clear()
    yield pools
    close_all(pools)
    credentials._logins.clear()


@pytest.fixture
def answer_of_aws(monkeypatch):
    """What Secrets Manager answers for the one tenant, from now on."""
    from superset_tenancy.connections import credentials

    real = credentials.secrets_manager(0)
    asked = []

    def let(error: Exception | None) -> list:
        class Client:
            def get_secret_value(self, SecretId: str) -> dict:
                asked.append(SecretId)
                if SecretId == SECRET and error is not None:
                    raise error
                return real.get_secret_value(SecretId=SecretId)

        monkeypatch.setattr(credentials, "secrets_manager", lambda _process: Client())
        return asked

    return let


def answers(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetSecretValue")


@pytest.fixture
def a_minute_passes(monkeypatch):
    """What is known must be read again."""
    from superset_tenancy.connections import credentials

    def pass_on() -> None:
        with credentials._lock:
            for tenant, (read_at, login) in list(credentials._logins.items()):
                credentials._logins[tenant] = (read_at - credentials.MAX_AGE, login)

    return pass_on


def open_of(servers, pids: list[int]) -> int:
    return servers.as_superuser("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)", pids)[0][0]


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "DecryptionFailure", "ResourceNotFoundException", "InvalidRequestException"]
)
def test_a_tenant_whose_secret_is_denied_is_out(pools, servers, answer_of_aws, a_minute_passes, code, caplog):
    """The key is disabled, or the secret is denied, deleted, or about to be."""
    from superset_tenancy.connections.credentials import TenantCutOff

    once(pools, "tz81mm")
    in_flight = pools.borrow("tk4q9w")
    pids = [ask(in_flight, "SELECT pg_backend_pid()"), once(pools, "tk4q9w", "SELECT pg_backend_pid()")]
    assert open_of(servers, pids) == 2
    answer_of_aws(answers(code))
    a_minute_passes()
    with pytest.raises(TenantCutOff, match="switched off"), caplog.at_level(logging.WARNING):
        pools.borrow("tk4q9w")
    assert [key for key in pools._pools if key[-1] == "tenant_tk4q9w"] == []
    assert f"tenant tk4q9w: cut off, since its secret cannot be read: An error occurred ({code})" in caplog.text
    # What is in flight ends, and its connection with it.
    in_flight.close()
    wait_until(lambda: open_of(servers, pids) == 0, 5)
    assert once(pools, "tz81mm") == "tenant_tz81mm"
    answer_of_aws(None)
    assert once(pools, "tk4q9w") == "tenant_tk4q9w"


@pytest.mark.parametrize(
    "error",
    [
        answers("ThrottlingException"),
        answers("InternalServiceError"),
        answers("ExpiredTokenException"),
        EndpointConnectionError(endpoint_url="https://secretsmanager.example.com"),
    ],
    ids=str,
)
def test_what_says_nothing_of_the_tenant_changes_nothing(pools, answer_of_aws, a_minute_passes, error):
    pid = once(pools, "tk4q9w", "SELECT pg_backend_pid()")
    asked = answer_of_aws(error)
    a_minute_passes()
    assert [once(pools, "tk4q9w", "SELECT pg_backend_pid()") for _ in range(5)] == [pid] * 5
    # It is not asked again for each query.
    assert asked == [SECRET]


def test_a_refused_password_that_cannot_be_read_again_cuts_off(pools, servers, answer_of_aws):
    """The role was locked and its secret deleted at once."""
    from superset_tenancy.connections.credentials import TenantCutOff, login_of

    password = login_of("tk4q9w").password
    servers.as_superuser("ALTER ROLE tenant_tk4q9w PASSWORD 'locked'")
    answer_of_aws(answers("ResourceNotFoundException"))
    try:
        with pytest.raises(TenantCutOff):
            once(pools, "tk4q9w")
    finally:
        servers.as_superuser("ALTER ROLE tenant_tk4q9w PASSWORD %s", password)


def test_its_user_is_told_and_the_other_tenants_is_not_concerned(pools, world, answer_of_aws, a_minute_passes):
    me, other = world["tk4q9w"], world["tz81mm"]
    assert rows(me.analyst.chart_data(me.datasets["orders"])) == [{"n": me.orders}]
    answer_of_aws(answers("AccessDeniedException"))
    a_minute_passes()
    for answer in (
        me.analyst.chart_data(me.datasets["orders"]),
        me.analyst.sql(me.database, "SELECT count(*) AS n FROM orders"),
        me.viewer.chart_data(me.datasets["orders"], dashboard=me.dashboard, chart=me.chart),
    ):
        assert answer.status_code != 200 and "data is switched off" in answer.text, answer.text
    assert rows(other.analyst.chart_data(other.datasets["orders"])) == [{"n": other.orders}]


def test_a_deleted_secret_of_a_server_that_runs(pools, servers, a_minute_passes):
    """Of the real Secrets Manager of the tests, not of a stand-in in this process."""
    from superset_tenancy.connections.credentials import TenantCutOff, login_of

    login = login_of("tk4q9w")
    value = {key: str(getattr(login, key)) for key in ("username", "password", "host", "port", "database", "version")}
    once(pools, "tk4q9w")
    servers.set_secret(SECRET, None)
    try:
        a_minute_passes()
        with pytest.raises(TenantCutOff):
            once(pools, "tk4q9w")
    finally:
        servers.set_secret(SECRET, value)
    assert once(pools, "tk4q9w") == "tenant_tk4q9w"
