"""Every route of the running application is in the table, in one group, and nothing else is."""

import uuid
from collections import Counter
from pathlib import Path

from superset_tenancy.routes.groups import CALLERS, Route
from superset_tenancy.routes.table import GROUP_OF, GROUPS


def test_every_route_is_in_the_table_and_no_other(app):
    """Fails for a version of Superset with other routes, until somebody has read them."""
    running = {Route(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert sorted(running - GROUP_OF.keys()) == [], "add these to the table of routes, or withhold them"
    assert sorted(GROUP_OF.keys() - running) == [], "this Superset does not have these: remove them from the table of routes"


def test_no_route_is_in_two_groups():
    counted = Counter(route for group in GROUPS for route in group.routes)
    assert [route for route, count in counted.items() if count > 1] == []


def test_every_group_says_whom_it_serves_and_why():
    assert [group.name for group in GROUPS if not group.why.strip().endswith(".") or not group.routes] == []
    assert all(group.callers <= set(CALLERS) for group in GROUPS)
    assert len({group.name for group in GROUPS}) == len(GROUPS)


def test_what_the_user_interface_asked_for_in_an_analysts_hour_is_served(app):
    """The list is what test/e2e/superset-browser.test.ts writes to asked-by-the-browser.txt, of several runs."""
    examples = {"<id>": "1", "<key>": "a-key", "<slug>": "a-slug", "<uuid>": str(uuid.uuid4()), "<file>": "a.js"}
    asked = (Path(__file__).parent / "asked-by-the-browser.txt").read_text().splitlines()
    withheld = []
    for line in asked:
        method, path = line.split(" ")
        for word, example in examples.items():
            path = path.replace(word, example)
        rule, _ = app.url_map.bind("localhost").match(path, method, return_rule=True)
        if "analyst" not in GROUP_OF[Route(method, rule.rule)].callers:
            withheld.append(line)
    assert len(asked) > 80 and withheld == []


def test_a_route_of_a_role_has_the_permission_that_superset_asks_for(app):
    """The table and the roles agree: what is served to a capability is not refused by its permissions."""
    from superset_tenancy.provisioning.capabilities import CAPABILITY_PERMISSIONS

    refused = []
    for rule in app.url_map.iter_rules():
        permission = permission_of(app.view_functions[rule.endpoint])
        for method in rule.methods - {"HEAD", "OPTIONS"} if permission else ():
            served = GROUP_OF[Route(method, rule.rule)].callers & CAPABILITY_PERMISSIONS.keys()
            refused += [
                (capability, method, rule.rule, *permission)
                for capability in served
                if permission not in CAPABILITY_PERMISSIONS[capability]
            ]
    assert refused == []


def permission_of(view):
    """What Superset asks for before it runs a view, or None if it asks in its own code."""
    owner = getattr(view, "__self__", None)
    name = getattr(view, "_permission_name", None)
    if owner is None or name is None:
        return None
    by_method = getattr(owner, "method_permission_name", None) or {}
    return (f"can_{by_method.get(view.__name__) or name}", owner.class_permission_name)
