"""Keeps which rights of the templates' roles the calls of a run have used.

`rights.json` has each action on each resource that an inline policy of a role allows, and whether a call has used it. Names are
those of the templates: a role's logical id, and in a resource's ARN the logical ids of what it names.
"""

import json
import re

from ministack.core import iam_evaluator
from ministack.services import cloudformation, iam

HASH = re.compile("[0-9A-F]{8}$")


class Rights:
    """The rights of a run, by role, action and resource of the deployed policies."""

    def __init__(self, state):
        self.file = state / "rights.json"
        self.used = {}
        #: As the template says it, from when CloudFormation has noted what it made.
        self.as_in_template = {}

    def note_granted(self):
        """Adds what the policies of roles allow by now."""
        for role_name, role in iam._roles.items():
            for document in (role.get("InlinePolicies") or {}).values() if is_of_template(role_name) else ():
                for statement in iam_evaluator.parse_policy_document(document):
                    for action, resource in allowed_by(statement):
                        self.used.setdefault((role_name, action, resource), False)
        self.write()

    def note_used(self, context, role_name, policies):
        """Marks what allows a call."""
        found = {
            (role_name, action, resource)
            for statements in policies
            for statement in statements
            if iam_evaluator._first_match(context, [statement], "Allow")
            for action, resource in allowed_by(statement)
            if iam_evaluator.fnmatch_iam(context.action, action) and iam_evaluator.fnmatch_iam_cs(context.resource_arn, resource)
        }
        unmarked = [right for right in found if self.used.get(right) is False]
        if unmarked:
            self.used |= dict.fromkeys(unmarked, True)
            self.write()

    def write(self):
        names = names_of_template()
        rights = {}
        for right, used in self.used.items():
            role_name, action, resource = right
            if right not in self.as_in_template and role_name in names:
                self.as_in_template[right] = (names[role_name], action, named(resource, names))
            of_template = self.as_in_template.get(right, right)
            rights[of_template] = rights.get(of_template, False) or used
        rows = [{"role": role, "action": action, "on": on, "used": used} for (role, action, on), used in rights.items()]
        self.file.write_text(json.dumps(rows))


def is_of_template(role_name):
    return not role_name.startswith("cdk-")


def allowed_by(statement):
    """Each action on each resource."""
    if statement.effect == "Allow":
        yield from ((action, resource) for action in statement.actions for resource in statement.resources)


def names_of_template():
    """Logical ids, without the hash of the CDK, by the physical ones."""
    return {
        resource["PhysicalResourceId"]: HASH.sub("", logical_id)
        for stack in cloudformation._stacks.values()
        for logical_id, resource in stack.get("_resources", {}).items()
        if resource.get("PhysicalResourceId")
    }


def named(resource, names):
    """The resource without partition, region and account, and with the names of the template."""
    for physical_id in sorted(names, key=len, reverse=True):
        if len(physical_id) > 5:
            resource = resource.replace(physical_id, f"<{names[physical_id]}>")
    return re.sub(r"^arn:aws:([\w-]+):[\w-]*:\d*:", r"\1:", resource)


def record(state):
    """Has each evaluation of MiniStack mark the rights that allow the call."""
    rights = Rights(state)
    evaluate = iam_evaluator.evaluate

    def mark(context, policies, *limits):
        result = evaluate(context, policies, *limits)
        role_name = iam_evaluator._role_name_from_assumed_arn(context.principal_arn)
        if result.decision == "Allow" and role_name:
            rights.note_used(context, role_name, policies)
        return result

    iam_evaluator.evaluate = mark
    return rights
