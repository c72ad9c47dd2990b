"""Each bound is needed: switched off, a test that is named here fails."""

from contextlib import contextmanager
from unittest.mock import patch

import pytest
import test_asynchronous
import test_post_processing
import test_result_bounds
import test_shares
import test_uploads


@contextmanager
def without_option_rules():
    from superset_tenancy.patches import post_processing

    with patch.object(post_processing, "check_options", lambda operations: None):
        yield


@contextmanager
def without_result_bounds():
    from superset_tenancy.results import bounded_cursor
    from superset_tenancy.results.limits import Size

    with patch.object(bounded_cursor, "OF_RESULT", Size(bytes=2**40, cells=2**40)):
        yield


@contextmanager
def without_yaml_bounds():
    import yaml

    with patch.object(yaml, "safe_load", lambda text: yaml.load(text, Loader=yaml.SafeLoader)):
        yield


@contextmanager
def without_admission():
    from superset_tenancy.admission.shares import Shares

    with patch.object(Shares, "_has_room", lambda self, group: True):
        yield


@contextmanager
def without_bound_of_asynchronous_queries():
    from superset_tenancy.admission.asynchronous import AsynchronousQueries

    with patch.object(AsynchronousQueries, "take", lambda self, tenant, query: True):
        yield


@contextmanager
def without_bound_of_bodies():
    from superset_tenancy.admission import middleware

    with patch.object(middleware, "LARGEST_BODY", 2**40):
        yield


#: Without its rule, this one keeps the machine busy for a minute.
TOO_DEAR = {"histogram of 100,000 bins"}
_REFUSALS = test_shares.TestRefusal()

BOUNDS = [
    *[
        (without_option_rules, test_post_processing.TestOptions().test_over_the_bound, {"case": case})
        for case in test_post_processing.OVER
        if case not in TOO_DEAR
    ],
    (without_option_rules, test_post_processing.TestOptions().test_many_operations, {}),
    (without_result_bounds, test_result_bounds.TestBytes().test_many_rows_in_sql_lab, {}),
    (without_result_bounds, test_result_bounds.TestBytes().test_a_value_of_a_hundred_megabytes_as_a_metric, {}),
    *[
        (without_yaml_bounds, test_uploads.TestYaml().test_is_refused_with_the_reason, {"case": case})
        for case in ("an anchor", "a tag of Python", "a tag of somebody", "deep", "no YAML")
    ],
    (without_admission, _REFUSALS.test_the_next_request_of_the_tenant_is_told_when_to_come_back, {}),
    (without_admission, _REFUSALS.test_a_browser_gets_a_page, {}),
    (without_admission, _REFUSALS.test_a_guest_counts_to_the_tenant, {}),
    (without_admission, _REFUSALS.test_nobody_works_for_who_is_refused, {}),
    (without_admission, _REFUSALS.test_callers_who_are_not_signed_in_share_a_bound, {}),
    (without_bound_of_bodies, test_uploads.TestBody().test_over_the_bound, {}),
    (
        without_bound_of_asynchronous_queries,
        test_asynchronous.TestAsking().test_more_than_so_many_are_refused_with_the_reason,
        {},
    ),
]

shares = test_shares.shares
grown = test_result_bounds.grown
nothing_left = test_asynchronous.nothing_left


@pytest.mark.parametrize(
    "switched_off, test, known",
    BOUNDS,
    ids=["-".join([off.__name__, test.__name__, *known.values()]) for off, test, known in BOUNDS],
)
def test_a_test_fails(switched_off, test, known, request, world):
    """The same test, first as it is, then without the bound."""
    known = {"me": world["tk4q9w"], "other": world["tz81mm"], **known}
    names = [name for name in test.__code__.co_varnames[: test.__code__.co_argcount] if name != "self"]
    arguments = {name: known[name] if name in known else request.getfixturevalue(name) for name in names}
    test(**arguments)
    with switched_off(), pytest.raises((AssertionError, KeyError)):
        test(**arguments)
