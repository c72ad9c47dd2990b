"""What a tenant has in Superset, against what a dump says."""

from typing import Any

from superset_tenancy.moving.objects import called, describe, describe_people, describe_rules, given_to, things_of


def differences(tenant: str, description: dict[str, Any]) -> list[str]:
    """What is otherwise here, in words; nothing if it is all the same.

    Content that this environment gives to all tenants may be here although the tenant did not have it there.
    """
    things = things_of(tenant)
    described = describe(tenant, things)
    here = _by_name(described, describe_people(tenant), describe_rules(tenant, things))
    there = _by_name(description["things"], description["people"], description["rules"])
    copies = given_to(tenant)
    given = {called(thing) for thing in described if thing["uuid"] in copies}
    found = []
    for name, thing in there.items():
        if name not in here:
            found.append(f"{name} is not here")
        elif other := sorted(key for key in thing if thing[key] != here[name].get(key)):
            found.append(f"{name} has another {', '.join(other)} here")
    return [*found, *(f"{name} is not in the dump" for name in here if name not in there and name not in given)]


def _by_name(things: list[dict], people: list[dict], rules: list[dict]) -> dict[str, dict[str, Any]]:
    return {
        **{called(thing): thing for thing in things},
        **{f"user {person['username']}": person for person in people},
        **{f"rule {rule['name']}": rule for rule in rules},
    }
