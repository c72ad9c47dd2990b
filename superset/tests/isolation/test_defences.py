"""Each defence is needed: switched off, a test that is named here fails."""

from contextlib import contextmanager
from unittest.mock import patch

import pytest
import test_attacks
import test_caches
import test_guests
import test_isolation
import test_named
import test_pools
import test_requests
import test_sign_in
import test_sql_lab
from superset.security import SupersetSecurityManager

from world import open_metadata, without_allow_list


@contextmanager
def without_names_of_requests(app, servers):
    from superset_tenancy.requests import guard

    with patch.object(guard, "named_in", lambda request: ()):
        yield


@contextmanager
def without_tenants_in_cache_keys(app, servers):
    """As if all shared each cache, and it kept whole answers."""
    from superset_tenancy.requests import caches

    with (
        patch.object(caches, "cache_scope", lambda: "all"),
        patch.object(caches._KeptPerTenant, "_may_be_kept", staticmethod(lambda value: True)),
    ):
        yield


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

    from superset_tenancy.connections import hooks
    from superset_tenancy.connections.credentials import login_of

    def connect(uri, params, *others):
        pinned, pinned_params = hooks.connect_as_tenant(uri, params, *others)
        login = login_of(hooks.current_tenant())

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
    from superset_tenancy.connections import hooks
    from superset_tenancy.security import TenantSecurityManager

    with (
        without_names_of_requests(app, servers),
        patch.object(hooks, "require_own", lambda database: hooks.current_tenant()),
        patch.object(TenantSecurityManager, "raise_for_access", SupersetSecurityManager.raise_for_access),
    ):
        yield


@contextmanager
def without_cache_key(app, servers):
    from superset_tenancy.security import TenantSecurityManager

    with (
        without_tenants_in_cache_keys(app, servers),
        patch.object(TenantSecurityManager, "get_rls_cache_key", SupersetSecurityManager.get_rls_cache_key),
    ):
        yield


@contextmanager
def without_results_access(app, servers):
    from superset_tenancy.requests import caches
    from superset_tenancy.security import TenantSecurityManager

    with (
        without_allow_list(app),
        without_names_of_requests(app, servers),
        # The worker has kept the result under the tenant that asked.
        patch.object(caches, "cache_scope", lambda: "tenant:tk4q9w"),
        patch.object(TenantSecurityManager, "raise_for_access", SupersetSecurityManager.raise_for_access),
    ):
        yield


@contextmanager
def without_own_stop(app, servers):
    from superset.daos.query import QueryDAO

    with patch.object(QueryDAO, "stop_query", staticmethod(QueryDAO.stop_query.__wrapped__)):
        yield


@contextmanager
def without_guard_of_sql(app, servers):
    """As if Superset and PostgreSQL got each text as it was typed."""
    from superset_tenancy.sql import mutator, text_guard

    def pass_all(*_texts, **_options):
        pass

    with (
        patch.object(mutator, "check", pass_all),
        patch.object(text_guard, "check", pass_all),
        patch.object(text_guard, "check_expression", pass_all),
    ):
        yield


@contextmanager
def without_content_guard(app, servers):
    from superset_tenancy import content_guard

    with without_names_of_requests(app, servers), patch.object(content_guard, "tenants_of", lambda user: set()):
        yield


@contextmanager
def without_related_filters(app, servers):
    from superset_tenancy.requests import related

    with patch.dict(app.config, EXTRA_RELATED_QUERY_FILTERS={}), patch.object(related, "_own", lambda model, query: query):
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
    from superset_tenancy.connections import pools

    def roll_back(handle, _record):
        handle.dbapi_connection.rollback()

    test_pools.close_all(pools)
    with patch.object(pools, "_forget_session", roll_back):
        yield
    test_pools.close_all(pools)


@contextmanager
def without_saved_questions(app, servers):
    from superset_tenancy.security import TenantSecurityManager

    with patch.object(TenantSecurityManager, "_keep_guest_to_saved_questions", lambda *_: None):
        yield


@contextmanager
def without_standing(app, servers):
    """As if a session and a token held until their time is over."""
    from superset_tenancy.sign_in import manager

    with patch.object(manager, "holds", lambda standing, user: True):
        yield


@contextmanager
def without_end_at_sign_out(app, servers):
    from superset_tenancy.sign_in import manager

    with patch.object(manager, "end_all", lambda user: None):
        yield


@contextmanager
def without_new_session_id(app, servers):
    with patch.object(app.session_interface, "regenerate", lambda session: None):
        yield


@contextmanager
def without_limit_of_attempts(app, servers):
    from superset_tenancy.sign_in import attempts

    with patch.object(attempts, "seconds_to_wait", lambda username: 0):
        yield


@contextmanager
def without_asking_for_the_old_password(app, servers):
    from superset.views.users.api import CurrentUserRestApi
    from superset.views.users.schemas import CurrentUserPutSchema

    from superset_tenancy.sign_in import own_password

    def verified(password):
        return None

    with (
        patch.object(CurrentUserRestApi, "current_user_put_schema", CurrentUserPutSchema()),
        patch.object(own_password, "problem_with_present", verified),
    ):
        yield


@contextmanager
def without_password_policy(app, servers):
    with patch.dict(app.config, FAB_PASSWORD_COMPLEXITY_ENABLED=False):
        yield


@contextmanager
def without_check_of_sign_out(app, servers):
    """As if any page could sign a person out."""
    from superset_tenancy.sign_in import gate

    checks = app.before_request_funcs
    with patch.dict(checks, {None: [check for check in checks[None] if check is not gate._keep_signed_in]}):
        yield


@contextmanager
def without_guard_of_the_embedded_page(app, servers):
    from flask_login import login_user
    from superset.embedded import view

    with patch.object(view, "login_user", login_user):
        yield


@contextmanager
def without_end_of_guests(app, servers):
    from superset_tenancy.security import TenantSecurityManager

    with patch.object(TenantSecurityManager, "has_guest_access", SupersetSecurityManager.has_guest_access):
        yield


@contextmanager
def without_refusal_of_origins(app, servers):
    from superset_tenancy.sign_in import gate

    with patch.object(gate, "_is_own", lambda domain: True):
        yield


DEFENCES = [
    (without_names_of_requests, test_named.test_layers_of_a_map),
    (without_names_of_requests, test_named.test_the_old_explore_page),
    (without_names_of_requests, test_named.test_the_provisioners_schema),
    (without_names_of_requests, test_named.test_a_draft_of_the_own_tenant_is_not_for_viewers),
    (without_tenants_in_cache_keys, test_caches.test_a_url_that_the_other_has_opened),
    (without_tenants_in_cache_keys, test_caches.test_a_url_that_an_analyst_has_opened_is_not_for_viewers),
    (without_saved_questions, test_guests.test_a_question_that_names_no_chart),
    (without_saved_questions, test_guests.test_more_than_the_chart_asks),
    (without_policy, test_isolation.TestOwnRows().test_chart),
    (without_policy, test_isolation.TestOwnRows().test_sql_lab),
    (without_pinned_database, test_attacks.test_the_catalog_parameter_does_not_leave_the_tenants_database),
    (without_ownership, test_attacks.test_a_permission_given_by_mistake_on_a_foreign_database_opens_nothing),
    (without_cache_key, test_attacks.test_the_platform_administrator_gets_no_chart_data_cached_or_not),
    (without_results_access, test_attacks.test_results_by_key_are_not_for_the_other),
    (without_results_access, test_isolation.TestForeignThings().test_dashboard_that_was_given_to_the_wrong_role),
    (without_own_stop, test_attacks.test_only_who_runs_a_query_stops_it),
    (without_guard_of_sql, test_attacks.test_set_config_in_a_metric_is_refused_with_a_reason),
    (without_guard_of_sql, test_attacks.test_a_statement_other_than_a_query_is_refused_with_a_reason),
    (without_content_guard, test_isolation.TestForeignThings().test_chart_on_a_foreign_dataset_cannot_be_made),
    (without_related_filters, test_isolation.TestForeignThings().test_people_and_roles_to_choose_from),
    (without_forgetting, test_pools.test_a_hundred_requests_of_two_tenants_carry_nothing_over),
    (without_standing, test_sign_in.TestWhatEndsASignIn().test_sign_out_ends_every_session_and_token),
    (without_standing, test_sign_in.TestWhatEndsASignIn().test_a_new_password_signs_out),
    (without_end_at_sign_out, test_sign_in.TestWhatEndsASignIn().test_sign_out_ends_every_session_and_token),
    (without_new_session_id, test_sign_in.TestWhatEndsASignIn().test_a_sign_in_has_a_session_id_that_nobody_knew_before),
    (without_limit_of_attempts, test_sign_in.TestWrongPasswords().test_one_address_cannot_try_all_accounts),
    (without_asking_for_the_old_password, test_sign_in.TestOwnPassword().test_the_api_asks_for_the_old_one),
    (without_password_policy, test_sign_in.TestOwnPassword().test_a_short_one_is_refused),
    (without_check_of_sign_out, test_sign_in.TestSigningOut().test_a_link_of_another_site_does_not_sign_out),
    (without_guard_of_the_embedded_page, test_sign_in.TestSigningOut().test_the_embedded_page_does_not_sign_out),
    (without_end_of_guests, test_sign_in.TestWhatEndsASignIn().test_a_guest_token_ends_with_the_embedding),
    (without_refusal_of_origins, test_requests.test_the_origin_of_a_shop_is_refused),
    (without_guests_dashboards, test_guests.test_the_name_in_the_token_gives_nothing),
]


@pytest.mark.parametrize("switched_off, test", DEFENCES, ids=[f"{off.__name__}-{test.__name__}" for off, test in DEFENCES])
def test_a_test_fails(switched_off, test, request, app, servers, world):
    """The same test, first as it is, then without the defence."""
    request.getfixturevalue("worker")
    me, other = world["tk4q9w"], world["tz81mm"]
    known = {"me": me, "other": other, "catalog": "postgres", "is_seen": True}
    names = [name for name in test.__code__.co_varnames[: test.__code__.co_argcount] if name != "self"]
    arguments = {name: known[name] if name in known else request.getfixturevalue(name) for name in names}
    try:
        # Without the row security of Superset's metadata beneath it, which would hold in its place.
        with open_metadata(app):
            test(**arguments)
            with switched_off(app, servers), pytest.raises(AssertionError):
                test(**arguments)
    finally:
        # What was kept without the defence must not be found with it.
        test_caches.forget_all(app)


#: What is only asked, in each place where SQL is typed: nothing of it is saved.
ASKED = ["sql lab", "format", "metric", "column", "where", "having", "order", "samples"]


@pytest.mark.parametrize("place", ASKED)
@pytest.mark.parametrize("text", test_sql_lab.TEXTS)
def test_without_the_guard_of_sql_a_text_gets_through(app, servers, world, place, text):
    """It is refused with a reason of the guard's, and of nobody else's."""
    test_sql_lab.test_is_refused_in_words_in_each_place(world, place, text)
    with without_guard_of_sql(app, servers), pytest.raises(AssertionError):
        test_sql_lab.test_is_refused_in_words_in_each_place(world, place, text)
