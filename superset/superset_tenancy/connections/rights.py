"""Has a client of AWS wait for rights that a deployment has just given: IAM is eventually consistent.

For what a process cannot start without, and for the migration. Not for a tenant's login: one that is denied is cut off, and a
query must not hang.
"""

from typing import Any

#: Requests, of which those after the fourth wait 15 s each: three minutes, as the functions of the deployment wait.
_MOST_ATTEMPTS = 16
_LONGEST = 15

_DENIED = ("AccessDenied", "AccessDeniedException")


def wait_for_rights(client: Any) -> None:
    """Lets a client of botocore ask again while it is denied."""
    client.meta.events.register("needs-retry", _seconds_until_next)


def _seconds_until_next(response: Any = None, attempts: int = 1, **_: Any) -> int | None:
    code = response[1].get("Error", {}).get("Code") if response else None
    return min(2 ** (attempts - 1), _LONGEST) if code in _DENIED and attempts < _MOST_ATTEMPTS else None
