"""Every page and every API that can be read, asked as a tenant's people for everything of the other tenant."""

import itertools

import pytest

from world import all_metadata

#: What would end the session, or begins one.
NOT_ASKED = {"/logout/", "/login/"}


@pytest.fixture(scope="module")
def rules(app):
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in rule.methods and rule.rule not in NOT_ASKED and not rule.endpoint.endswith("static")
    ]


def paths(app, rule, foreign: dict[str, list]) -> list[str]:
    """The rule's path with each way to name a foreign thing."""
    adapter = app.url_map.bind("localhost")
    choices = []
    for name in sorted(rule.arguments):
        numbers = type(rule._converters[name]).__name__ == "IntegerConverter"
        choices.append([(name, value) for value in foreign["numbers" if numbers else "texts"]])
    built = []
    for values in itertools.product(*choices):
        try:
            built.append(adapter.build(rule.endpoint, dict(values), force_external=False))
        except Exception:
            continue
    return built[:40]


@pytest.mark.parametrize("role", ["analyst", "viewer"])
def test_nothing_of_the_other_is_told(app, world, rules, role, servers):
    me, other = world["tk4q9w"], world["tz81mm"]
    assert told(app, rules, getattr(me, role), other, servers) == []


def test_the_other_is_told_all_of_it(app, world, rules, servers):
    """So that the test above looks at the right things."""
    other = world["tz81mm"]
    paths = [path.split("?")[0] for path, _ in told(app, rules, other.analyst, other, servers)]
    for kind in ("dashboard", "chart", "dataset", "database"):
        assert any(path.startswith(f"/api/v1/{kind}/") for path in paths), (kind, paths)


def told(app, rules, person, other, servers) -> list[tuple[str, list[str]]]:
    """Where the person is told something of the other, and what."""
    name = next(tenant.displayName for tenant in servers.tenants if tenant.id == other.id)
    foreign = foreign_names(app, other)
    found = []
    for path in (path for rule in rules for path in paths(app, rule, foreign)):
        # What was asked for may be repeated in the answer.
        text = person.get(path).text.replace(path, "")
        words = (other.canary, other.value, name, f"({other.id})", f"Orders of {other.id}")
        if said := [word for word in words if word in text]:
            found.append((path, said))
    return found


def foreign_names(app, other) -> dict[str, list]:
    from superset import db
    from superset.connectors.sqla.models import SqlaTable
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    with all_metadata(app):
        uuids = [
            str(db.session.get(model, number).uuid)
            for model, number in (
                (Database, other.database),
                (Dashboard, other.dashboard),
                (Slice, other.chart),
                (SqlaTable, other.datasets["orders"]),
            )
        ]
    numbers = sorted({other.database, other.dashboard, other.chart, *other.datasets.values()})
    return {"numbers": numbers, "texts": [*map(str, numbers), *uuids, "table"]}
