"""Not a test: how long a dashboard of another tenant takes in quiet times and under attack, for `npm run bench -- attack`."""

import json
import os

from attack import attack, busy_queries, dashboard, give_cores, memory_of_children
from test_under_attack import web  # noqa: F401 - a fixture

from world import Person, Web

RUNS = 8


def test_dashboards(web, world, worker, servers):  # noqa: F811 - a fixture
    from superset_tenancy.admission.middleware import OF_REQUESTS

    attacker, victim = world["tk4q9w"], world["tz81mm"]
    them, me = (Person(Web(web.url), f"analyst-{tenant.id}") for tenant in (attacker, victim))
    # On AWS they have machines of their own.
    ((postgres,),) = servers.as_superuser("SELECT pg_read_file('postmaster.pid')")
    give_cores({0}, web.pid)
    for elsewhere in (int(postgres.split()[0]), worker.pid):
        give_cores({1}, elsewhere)
    for _ in range(2):
        dashboard(me, victim)
    quiet, memory_before = measured(me, victim, web)
    with attack(them, attacker, cores={1}) as answered:
        busy, memory = measured(me, victim, web)
    after, _ = measured(me, victim, web)
    # Of two web processes, and of a worker.
    queries = 2 * OF_REQUESTS.each + 1
    with busy_queries(servers.superuser, queries):
        machine, _ = measured(me, victim, web)
    statuses = {str(status): count for status, count in answered.items()}
    result = {
        "quiet": quiet,
        "busy": busy,
        "after": after,
        "machine": machine,
        "queries": queries,
        "memory": [memory_before, memory],
        "answers": statuses,
        "load": os.getloadavg()[0],
    }
    print("\nMEASURED " + json.dumps(result))


def measured(person, tenant, server):
    seconds, largest = [], 0
    for _ in range(RUNS):
        statuses, taken = dashboard(person, tenant)
        assert set(statuses) == {200}, statuses
        seconds.append(taken)
        largest = max(largest, max(memory_of_children(server.pid).values()))
    return seconds, largest
