"""Writes the tables of docs/security/routes.md: python -m superset_tenancy.routes.page docs/security/routes.md"""

import sys
from pathlib import Path

from superset_tenancy.routes.groups import CALLERS, EVERYONE, SIGNED_IN, Group
from superset_tenancy.routes.table import GROUPS

BEGIN, END = "<!-- routes: begin -->", "<!-- routes: end -->"


def with_tables(page: str) -> str:
    """The page with the tables as the code has them."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n<!-- prettier-ignore-start -->\n\n{_tables()}\n<!-- prettier-ignore-end -->\n{END}{after}"


def _tables() -> str:
    served = [group for group in GROUPS if group.callers]
    withheld = [group for group in GROUPS if not group.callers]
    lines = [
        "### Served",
        "",
        f"{_count(served)} routes in {len(served)} groups.",
        "",
        "| Group | Routes | Callers | Why |",
        "| --- | --- | --- | --- |",
        *(f"| {group.name} | {len(group.routes)} | {_callers(group)} | {group.why} |" for group in served),
        "",
        "### Withheld",
        "",
        f"{_count(withheld)} routes in {len(withheld)} groups.",
        "",
        "| Group | Routes | Why |",
        "| --- | --- | --- |",
        *(f"| {group.name} | {len(group.routes)} | {group.why} |" for group in withheld),
        "",
    ]
    return "\n".join(lines)


def _count(groups: list[Group]) -> int:
    return sum(len(group.routes) for group in groups)


def _callers(group: Group) -> str:
    if group.callers == EVERYONE:
        return "everyone"
    if group.callers == EVERYONE - {"anonymous"}:
        return "everyone signed in, and guests"
    if group.callers == SIGNED_IN:
        return "everyone signed in"
    return ", ".join(caller for caller in CALLERS if caller in group.callers)


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_tables(path.read_text()))
