"""Not a test: how long a dashboard of another tenant takes in quiet times and under attack, for `npm run bench -- attack`."""

import json

from attack import attack, dashboard, memory_of_children
from test_under_attack import web  # noqa: F401 - a fixture

from world import Person, Web

RUNS = 8


def test_dashboards(web, world, worker):  # noqa: F811 - a fixture
    attacker, victim = world["tk4q9w"], world["tz81mm"]
    them, me = (Person(Web(web.url), f"analyst-{tenant.id}") for tenant in (attacker, victim))
    for _ in range(2):
        dashboard(me, victim)
    quiet, memory_before = measured(me, victim, web)
    with attack(them, attacker) as answered:
        busy, memory = measured(me, victim, web)
    after, _ = measured(me, victim, web)
    statuses = {str(status): count for status, count in answered.items()}
    result = {"quiet": quiet, "busy": busy, "after": after, "memory": [memory_before, memory], "answers": statuses}
    print("\nMEASURED " + json.dumps(result))


def measured(person, tenant, server):
    seconds, largest = [], 0
    for _ in range(RUNS):
        statuses, taken = dashboard(person, tenant)
        assert set(statuses) == {200}, statuses
        seconds.append(taken)
        largest = max(largest, max(memory_of_children(server.pid).values()))
    return seconds, largest
