"""Each defence is needed: switched off, a test that is named here fails."""

from contextlib import contextmanager
from unittest.mock import patch

import pytest
import test_attacks
import test_guests
import test_isolation
import test_pools
from superset.security import SupersetSecurityManager

from world import open_metadata


@contextmanager
def without_policy(app, servers):
    servers.as_superuser("ALTER TABLE analytics.orders DISABLE ROW LEVEL SECURITY")
    try:
        yield
    finally:
        servers.as_superuser("ALTER TABLE analytics.orders ENABLE ROW LEVEL SECURITY")


@contextmanager
def without_pinned_database(app, servers):
    """As if the mutator changed host, role and password only."""
    import psycopg2

    from superset_tenancy import connections
    from superset_tenancy.credentials import login_of

    def connect(uri, params, *others):
        pinned, pinned_params = connections.connect_as_tenant(uri, params, *others)
        login = login_of(connections.current_tenant())

        def creator():
            return psycopg2.connect(
                host=login.host, port=login.port, dbname=uri.database, user=login.username, password=login.password
            )

        return pinned, {**pinned_params, "creator": creator}

    with patch.dict(app.config, DB_CONNECTION_MUTATOR=connect):
        yield


@contextmanager
def without_ownership(app, servers):
    """As if any Database that Superset lets somebody use were that tenant's, here and in what Superset asks first."""
    from superset_tenancy import connections
    from superset_tenancy.security import TenantSecurityManager

    with (
        patch.object(connections, "require_own", lambda database: connections.current_tenant()),
        patch.object(TenantSecurityManager, "raise_for_access", SupersetSecurityManager.raise_for_access),
    ):
        yield


@contextmanager
def without_cache_key(app, servers):
    from superset_tenancy.security import TenantSecurityManager

    with patch.object(TenantSecurityManager, "get_rls_cache_key", SupersetSecurityManager.get_rls_cache_key):
        yield


@contextmanager
def without_results_access(app, servers):
    from superset_tenancy.security import TenantSecurityManager

    with patch.object(TenantSecurityManager, "raise_for_access", SupersetSecurityManager.raise_for_access):
        yield


@contextmanager
def without_own_stop(app, servers):
    from superset.daos.query import QueryDAO

    with patch.object(QueryDAO, "stop_query", staticmethod(QueryDAO.stop_query.__wrapped__)):
        yield


@contextmanager
def without_allow_list(app, servers):
    from superset_tenancy import content_guard

    def pass_all(sql, **context):
        return sql

    with (
        patch.dict(app.config, SQL_QUERY_MUTATOR=pass_all),
        patch.object(content_guard, "refuse_other_than_queries", pass_all),
    ):
        yield


@contextmanager
def without_content_guard(app, servers):
    from superset_tenancy import content_guard

    with patch.object(content_guard, "tenants_of", lambda user: set()):
        yield


@contextmanager
def without_related_filters(app, servers):
    with patch.dict(app.config, EXTRA_RELATED_QUERY_FILTERS={}):
        yield


@contextmanager
def without_guests_dashboards(app, servers):
    """As if a guest's tenant were what the user name says."""
    from superset_tenancy import identity

    with patch.object(identity, "_tenants_of_guest", lambda user: {user.username}):
        yield


@contextmanager
def without_forgetting(app, servers):
    """As if a connection were only rolled back when it is returned, which is what pools do."""
    from superset_tenancy import pools

    def roll_back(handle, _record):
        handle.dbapi_connection.rollback()

    test_pools.close_all(pools)
    with patch.object(pools, "_forget_session", roll_back):
        yield
    test_pools.close_all(pools)


DEFENCES = [
    (without_policy, test_isolation.TestOwnRows().test_chart),
    (without_policy, test_isolation.TestOwnRows().test_sql_lab),
    (without_pinned_database, test_attacks.test_the_catalog_parameter_does_not_leave_the_tenants_database),
    (without_ownership, test_attacks.test_a_permission_given_by_mistake_on_a_foreign_database_opens_nothing),
    (without_cache_key, test_attacks.test_the_platform_administrator_gets_no_chart_data_cached_or_not),
    (without_results_access, test_attacks.test_results_by_key_are_not_for_the_other),
    (without_results_access, test_isolation.TestForeignThings().test_dashboard_that_was_given_to_the_wrong_role),
    (without_own_stop, test_attacks.test_only_who_runs_a_query_stops_it),
    (without_allow_list, test_attacks.test_set_config_in_a_metric_is_refused_with_a_reason),
    (without_allow_list, test_attacks.test_a_statement_other_than_a_query_is_refused_with_a_reason),
    (without_content_guard, test_isolation.TestForeignThings().test_chart_on_a_foreign_dataset_cannot_be_made),
    (without_related_filters, test_isolation.TestForeignThings().test_people_and_roles_to_choose_from),
    (without_forgetting, test_pools.test_a_hundred_requests_of_two_tenants_carry_nothing_over),
    (without_guests_dashboards, test_guests.test_the_name_in_the_token_gives_nothing),
]


@pytest.mark.parametrize("switched_off, test", DEFENCES, ids=[f"{off.__name__}-{test.__name__}" for off, test in DEFENCES])
def test_a_test_fails(switched_off, test, request, app, servers, world):
    """The same test, first as it is, then without the defence."""
    request.getfixturevalue("worker")
    me, other = world["tk4q9w"], world["tz81mm"]
    known = {"me": me, "other": other, "catalog": "postgres"}
    names = [name for name in test.__code__.co_varnames[: test.__code__.co_argcount] if name != "self"]
    arguments = {name: known[name] if name in known else request.getfixturevalue(name) for name in names}
    test(**arguments)
    # Without the row security of Superset's metadata beneath it, which would hold in its place.
    with open_metadata(app), switched_off(app, servers), pytest.raises(AssertionError):
        test(**arguments)
