"""Has a deployment's one-off task wait for the rights of its role, which the deployment has just given.

IAM is eventually consistent: a task may start before its region knows of the policy. Services do not wait: a tenant that is
denied is cut off, and a query must not hang.
"""

import os
from typing import Any

#: Only the migration has it; a move runs in its task definition, too.
ONE_OFF = "SUPERSET_DESIRED_STATE"

#: Requests, of which those after the fourth wait 15 s each: three minutes, as the functions of the deployment wait.
_MOST_ATTEMPTS = 16
_LONGEST = 15

_DENIED = ("AccessDenied", "AccessDeniedException")


def wait_for_rights(client: Any) -> None:
    """Lets a client of botocore ask again while it is denied, in a one-off task."""
    if ONE_OFF in os.environ:
        client.meta.events.register("needs-retry", _seconds_until_next)


def _seconds_until_next(response: Any = None, attempts: int = 1, **_: Any) -> int | None:
    code = response[1].get("Error", {}).get("Code") if response else None
    return min(2 ** (attempts - 1), _LONGEST) if code in _DENIED and attempts < _MOST_ATTEMPTS else None
