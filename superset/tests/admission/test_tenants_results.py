"""What the results of one tenant take in a process together."""

import pytest
from test_result_bounds import as_viewer

from world import adhoc

MIB = 1024 * 1024


@pytest.fixture
def held(me):
    """Results of another request of the tenant, which are nearly all that it may hold."""
    from superset_tenancy.results.held import Holder
    from superset_tenancy.results.limits import OF_TENANT, Size

    other_request = Holder(me.id)
    other_request.take(Size(bytes=OF_TENANT.bytes - 5 * MIB))
    yield other_request
    other_request.release()


def test_more_is_refused_with_the_reason_until_some_is_given_back(me, other, held):
    ten_megabytes = {"metrics": [adhoc("repeat('x', 10000000)")], "row_limit": 1}
    answer = as_viewer(me, **ten_megabytes, force=True)
    assert answer.status_code == 400 and "at the moment are larger than 64 MiB" in answer.text, answer.text[:500]
    assert as_viewer(other, **ten_megabytes, force=True).status_code == 200
    assert as_viewer(me, metrics=[adhoc("count(*)")], force=True).status_code == 200
    held.release()
    assert as_viewer(me, **ten_megabytes, force=True).status_code == 200


def test_the_end_of_a_request_gives_back_what_it_held(me):
    from superset_tenancy.results import held

    for expression in ("repeat('x', 10000000)", "repeat('x', 100000000)", "1 / 0"):
        as_viewer(me, metrics=[adhoc(expression)], row_limit=1)
        assert me.id not in held._held
