"""Routes in groups: each group says which callers it serves, or that it is withheld, and why."""

from typing import NamedTuple

#: Every kind of caller. `unassigned` is signed in without exactly one tenant; `platform` is an operator with the role Admin.
CALLERS = ("anonymous", "unassigned", "guest", "viewer", "analyst", "admin", "platform")

EVERYONE = frozenset(CALLERS)
SIGNED_IN = EVERYONE - {"anonymous", "guest"}
AT_WORK = frozenset({"viewer", "analyst", "admin", "platform"})
AT_WORK_AND_GUESTS = AT_WORK | {"guest"}
DESIGNERS = frozenset({"analyst", "admin", "platform"})
#: Rows are read as one tenant, so not by an operator without a tenant's role.
DESIGNERS_OF_TENANT = frozenset({"analyst", "admin"})
EXPORTERS = frozenset({"admin", "platform"})
PLATFORM = frozenset({"platform"})
WITHHELD: frozenset[str] = frozenset()


class Route(NamedTuple):
    """A rule of Flask's route map, and one of its methods."""

    method: str
    rule: str


class Group(NamedTuple):
    """Routes that are served to the same callers for the same reason."""

    name: str
    callers: frozenset[str]
    why: str
    routes: tuple[Route, ...]


def group(name: str, callers: frozenset[str], why: str, text: str) -> Group:
    """A group of routes from text: one rule a line, after its methods."""
    routes = []
    for line in text.strip().splitlines():
        *methods, rule = line.split()
        routes += [Route(method, rule) for method in methods]
    return Group(name, callers, why, tuple(routes))
