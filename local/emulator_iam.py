"""Has the emulator judge each call by IAM, as AWS does: by the policies of roles, and those of buckets, functions and keys.

MiniStack evaluates policies. This adds a session for each role, so that tasks and proxies call as their role; the permissions
that AWS asks for on the way (KMS behind a secret or an asset, PassRole behind a task); what calls to RDS and ECS are about; and
a record of what was refused. A condition on an alias or a tag of a key never holds: AWS takes minutes until it does. A key that
is disabled decrypts nothing, whatever its policy says.
"""

import hashlib
import json
from contextvars import ContextVar
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import ecs, iam, kms, rds, secretsmanager, sts

# Services of which a field of the form has the ARN that a call is about.
NAMED_BY_ARN = {"cloudformation": "StackName", "elasticloadbalancing": "LoadBalancerArn"}

request = ContextVar("request", default=(b"", {}))


def give_session(name, props):
    """Registers the credentials of a new role, derived from its ARN as in role-session.ts."""
    role_arn = iam._roles[name]["Arn"]
    sts.register_session(
        f"ASIA{digest('key', role_arn)[:16].upper()}",
        {
            "Arn": f"arn:aws:sts::{role_arn.split(':')[4]}:assumed-role/{name}/local",
            "UserId": f"{name}:local",
            "SecretAccessKey": digest("secret", role_arn),
            "SessionToken": digest("token", role_arn),
        },
    )
    return {}


def digest(kind, role_arn):
    return hashlib.sha256(f"{kind}:{role_arn}".encode()).hexdigest()


def judge(state, freshness):
    """Adds to each decision of MiniStack what it leaves out, and keeps what was refused in `denied.json`."""
    decide = iam_evaluator.enforce
    resource_of = iam_actions.extract_resource_arn
    refused = []

    def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
        # The emulator speaks HTTP, for which buckets refuse everybody.
        iam_evaluator.pin_request_origin("127.0.0.1", True)
        context = {**(service_context or {}), **(cluster_of(region) if service == "ecs" else {})}
        if service == "secretsmanager":
            context |= tags_of(resource_arn)
        denied = decide(access_key, action, service, region, resource_arn, context)
        if not is_ours(access_key):
            return None if isinstance(denied, iam_evaluator.EvalResult) else denied
        too_soon = freshness.refusal(sts._sessions[access_key]["Arn"], action)
        if too_soon:
            return too_soon
        asked = (action, resource_arn)
        for implied, owner, arn, more in () if denied else implied_by(action, resource_arn, region):
            denied = decide(access_key, implied, owner, region, arn, {**context, **more})
            asked = (implied, arn)
            if denied:
                break
            if implied == "kms:Decrypt" and is_disabled(arn):
                # No fault of a policy, so no refusal of the templates.
                return iam_evaluator.EvalResult("Deny", principal_arn=sts._sessions[access_key]["Arn"])
        if isinstance(denied, iam_evaluator.EvalResult):
            refusal = " ".join((denied.principal_arn.split("/")[-2], *asked))
            if refusal not in refused:
                refused.append(refusal)
                (state / "denied.json").write_text(json.dumps(refused))
        return denied

    def resource(service, method, path, headers, body, query, region, account):
        request.set((body, query))
        found = resource_of(service, method, path, headers, body, query, region, account)
        if service == "logs" and ":log-group:" in found:
            return found.removesuffix(":*") + ":*"  # as policies name a group
        if service in NAMED_BY_ARN:
            arn = fields().get(NAMED_BY_ARN[service], "")
            return arn if arn.startswith("arn:") else found
        if service not in ("ecs", "rds"):
            return found
        action = iam_actions.extract_iam_action(service, method, path, headers, body, query)
        return (resources_of(action, region) or [found])[0]

    iam_evaluator.enforce = enforce
    iam_actions.extract_resource_arn = resource


def is_ours(access_key):
    """Whether the caller is a role of the templates. The account itself may do all, and the CLI's roles are the CDK's."""
    if iam_evaluator.is_root_access_key(access_key):
        return False
    return ":assumed-role/cdk-" not in sts._sessions.get(access_key, {}).get("Arn", "")


def is_disabled(key):
    record = kms._resolve_key(key)
    return record is not None and record["KeyState"] == "Disabled"


def implied_by(action, resource_arn, region):
    """The permissions that a call needs besides its own: action, service, resource, context."""
    if action == "secretsmanager:GetSecretValue":
        _, secret = secretsmanager._resolve(resource_arn)
        key = secret and secret.get("KmsKeyId")
        if key:
            yield decrypt(key, "secretsmanager", region, "secretarn", resource_arn)
    elif action == "s3:GetObject" and resource_arn.startswith("arn:aws:s3:::cdk-"):
        # As if the account had been bootstrapped with a key.
        key = f"arn:aws:kms:{region}:{get_account_id()}:key/bootstrap"
        yield decrypt(key, "s3", region, "aws:s3:arn", resource_arn)
    elif action.startswith(("ecs:", "rds:")):
        for arn in resources_of(action, region)[1:]:
            yield action, action.split(":")[0], arn, {}
        if action == "rds:CreateDBSnapshot" and any(name.startswith("Tags.") for name in fields()):
            yield "rds:AddTagsToResource", "rds", resources_of(action, region)[1], {}
        if action == "ecs:RunTask":
            definition = task_definition()
            for role in {definition[kind] for kind in ("taskRoleArn", "executionRoleArn") if definition.get(kind)}:
                yield "iam:PassRole", "iam", role, {"iam:passedtoservice": "ecs-tasks.amazonaws.com"}


def decrypt(key, service, region, context, value):
    via = {"kms:viaservice": f"{service}.{region}.amazonaws.com", f"kms:encryptioncontext:{context}": value}
    return "kms:Decrypt", "kms", key, via


def resources_of(action, region):
    """What calls to ECS and RDS are about, each of which must be allowed (Service Authorization Reference)."""
    if action == "ecs:RunTask":
        return [task_definition()["taskDefinitionArn"]]
    if action == "ecs:DescribeTasks":
        return [ecs._resolve_task(task, ecs._resolve_cluster_name(fields()["cluster"]))["taskArn"] for task in fields()["tasks"]]
    if action == "rds:DescribeDBProxyTargets":
        proxy = rds._db_proxies[fields()["DBProxyName"]]
        return [proxy["DBProxyArn"], proxy["TargetGroup"]["TargetGroupArn"]]
    if action in ("rds:CreateDBSnapshot", "rds:DescribeDBSnapshots", "rds:ModifyDBInstance"):
        names = (("db", "DBInstanceIdentifier"), ("snapshot", "DBSnapshotIdentifier"))
        prefix = f"arn:aws:rds:{region}:{get_account_id()}"
        return [f"{prefix}:{kind}:{fields()[name]}" for kind, name in names if name in fields()]
    return []


def tags_of(secret_arn):
    _, secret = secretsmanager._resolve(secret_arn)
    tags = secret.get("Tags") or [] if secret else []
    return {f"secretsmanager:resourcetag/{tag['Key']}": tag["Value"] for tag in tags}


def cluster_of(region):
    name = fields().get("cluster") or "default"
    arn = name if name.startswith("arn:") else f"arn:aws:ecs:{region}:{get_account_id()}:cluster/{name}"
    return {"ecs:cluster": arn}


def task_definition():
    name = fields()["taskDefinition"].split("/")[-1]
    return ecs._task_defs.get(name) or ecs._task_defs[f"{name}:{ecs._task_def_latest[name]}"]


def fields():
    """Of the request: JSON, or a form."""
    body, query = request.get()
    if body[:1] == b"{":
        return json.loads(body)
    form = {**query, **parse_qs(body.decode())}
    return {name: value[0] if isinstance(value, list) else value for name, value in form.items()}
