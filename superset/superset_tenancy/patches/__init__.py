"""What has no hook in Superset: one module each, with the version that it was tested on.

tests/test_contract.py fails when Superset changes what they rely on.
"""

from superset_tenancy.patches import (
    asynchronous_queries,
    imports,
    post_processing,
    refused_requests,
    stop_query,
    streamed_csv,
    unknown_database,
)

#: The Superset that all of them were tested on.
TESTED_ON = "6.1.0"


def apply_patches() -> None:
    """Puts all patches in place; a second call changes nothing."""
    stop_query.apply()
    refused_requests.apply()
    unknown_database.apply()
    post_processing.apply()
    asynchronous_queries.apply()
    imports.apply()
    streamed_csv.apply()
