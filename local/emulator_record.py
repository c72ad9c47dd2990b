"""Records the calls of roles, and has PostgreSQL's log say which function has connected.

Each call that was allowed is written once to `calls.jsonl`: role, action, resource. libpq and node-postgres send PGAPPNAME as the
name of the application, which PostgreSQL logs.
"""

import json

from emulator_iam import is_ours
from ministack.core import iam_evaluator, lambda_runtime
from ministack.services import lambda_svc, sts

# PostgreSQL keeps 63 bytes of a name; the end of a function's tells it from others.
LONGEST = 50


def record(state):
    enforce = iam_evaluator.enforce
    known = set()

    def enforce_and_record(access_key, action, service, region, resource_arn="*", service_context=None):
        denied = enforce(access_key, action, service, region, resource_arn, service_context)
        if not denied and is_ours(access_key):
            role = sts._sessions[access_key]["Arn"].split("/")[1]
            call = json.dumps({"role": role, "action": action, "resource": resource_arn})
            if call not in known:
                known.add(call)
                with (state / "calls.jsonl").open("a") as calls:
                    calls.write(f"{call}\n")
        return denied

    iam_evaluator.enforce = enforce_and_record

    credentials_of = lambda_runtime.execution_credentials

    def environment_of(config):
        return {**credentials_of(config), "PGAPPNAME": f"function:{config['FunctionName'][-LONGEST:]}"}

    lambda_runtime.execution_credentials = environment_of
    lambda_svc.execution_credentials = environment_of
