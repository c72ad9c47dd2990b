"""The allow-list: every route of the Superset version that we ship, in exactly one group."""

from superset_tenancy.routes.dashboards import DASHBOARDS
from superset_tenancy.routes.data import DATA
from superset_tenancy.routes.everyday import EVERYDAY
from superset_tenancy.routes.groups import Group, Route
from superset_tenancy.routes.operations import OPERATIONS
from superset_tenancy.routes.withheld import WITHHELD_ROUTES

GROUPS = (*EVERYDAY, *DASHBOARDS, *DATA, *OPERATIONS, *WITHHELD_ROUTES)


def _by_route(groups: tuple[Group, ...]) -> dict[Route, Group]:
    found: dict[Route, Group] = {}
    for group in groups:
        for route in group.routes:
            if route in found:
                raise ValueError(f"{route.method} {route.rule} is in two groups: {found[route].name}, {group.name}")
            found[route] = group
    return found


GROUP_OF = _by_route(GROUPS)
