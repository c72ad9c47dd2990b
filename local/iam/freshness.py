"""Refuses what a role's policies allow for some seconds after one of them was made or changed, as IAM may.

Not refused are the roles that nothing of ours acts in: the functions of aws-cdk-lib's provider and its state machine, whose
policies are made minutes before on AWS, and the role in which ECS itself starts tasks. `fresh.json` has what was refused so.
"""

import json
import re
import time

from ministack.core import iam_evaluator

NOT_OURS = re.compile("framework|waiterstatemachine|ExecutionRole")


class Freshness:
    """When the policies of roles were changed last."""

    def __init__(self, state, seconds):
        self.file = state / "fresh.json"
        self.seconds = seconds
        self.changed = {}
        self.refused = []

    def note_change(self, role_names):
        self.changed |= dict.fromkeys(role_names, time.monotonic())

    def refusal(self, principal_arn, action):
        """What IAM answers to a role that it does not know the rights of yet; None once it does."""
        role_name = iam_evaluator._role_name_from_assumed_arn(principal_arn)
        age = time.monotonic() - self.changed.get(role_name, float("-inf"))
        if age > self.seconds or NOT_OURS.search(role_name):
            return None
        self.refused.append(f"{role_name} {action}")
        self.file.write_text(json.dumps(self.refused))
        return iam_evaluator.EvalResult("ImplicitDeny", principal_arn=principal_arn)
