"""Runs MiniStack, an AWS emulator, with what it lacks for our templates.

Usage: emulator.py STATE_DIRECTORY. The directory holds `servers.json`: the PostgreSQL or Valkey that stands behind an
AWS::RDS::DBInstance or AWS::ElastiCache::ReplicationGroup, by stack and logical id. The emulator adds `pretended.json`: the
resource types that were only written down. With ECS_AGENT set, one-off tasks are for an agent to run and report.
It ends, with all its Lambda processes, when its standard input closes: so it cannot outlive whoever started it.
"""

import json
import os
import secrets
import signal
import ssl
import string
import sys
import threading
from pathlib import Path

import emulator_iam
import emulator_lifecycle
import emulator_record
import pg8000.native
import valkey
from iam import freshness, rights
from ministack import app
from ministack.services import cloudformation, ecs, rds, s3, secretsmanager
from ministack.services.cloudformation import provisioners

HANDLERS = provisioners._RESOURCE_HANDLERS
STATE = Path(sys.argv.pop())


# Resource types that MiniStack does not know: accepted, given an id, and not acted on.

PRETENDED = {
    "AWS::ApplicationAutoScaling::ScalableTarget": lambda id, props: (
        f"{props['ResourceId']}|{props['ScalableDimension']}|{props['ServiceNamespace']}",
        {"Id": id},
    ),
    "AWS::ApplicationAutoScaling::ScalingPolicy": lambda id, props: (f"arn:aws:autoscaling:::scalingPolicy:{id}", {}),
    "AWS::Backup::BackupSelection": lambda id, props: (id, {"Id": id, "SelectionId": id}),
    "AWS::EC2::EIP": lambda id, props: ("198.51.100.1", {"AllocationId": f"eipalloc-{id}", "PublicIp": "198.51.100.1"}),
    "AWS::EC2::FlowLog": lambda id, props: (f"fl-{id}", {"Id": f"fl-{id}"}),
    "AWS::EC2::NatGateway": lambda id, props: (f"nat-{id}", {"NatGatewayId": f"nat-{id}"}),
    "AWS::EC2::SecurityGroupEgress": lambda id, props: (f"sgr-{id}", {"Id": f"sgr-{id}"}),
    "AWS::EC2::SecurityGroupIngress": lambda id, props: (f"sgr-{id}", {"Id": f"sgr-{id}"}),
    "AWS::ECS::ClusterCapacityProviderAssociations": lambda id, props: (props["Cluster"], {}),
    "AWS::WAFv2::WebACLAssociation": lambda id, props: (f"{props['WebACLArn']}|{props['ResourceArn']}", {}),
}
pretended_so_far = set()


def pretend(resource_type, answer):
    def create(logical_id, props, stack_name):
        note_pretended(resource_type)
        return answer(secrets.token_hex(8), props)

    def update(physical_id, old_props, new_props, stack_name):
        return physical_id, answer(physical_id.split("-")[-1], new_props)[1]

    HANDLERS[resource_type] = {"create": create, "update": update, "delete": lambda physical_id, props: None}


def note_pretended(what):
    if what not in pretended_so_far:
        pretended_so_far.add(what)
        (STATE / "pretended.json").write_text(json.dumps(sorted(pretended_so_far)))


# Attributes that MiniStack leaves out.


def with_attributes(resource_type, attributes):
    handlers = HANDLERS[resource_type]
    create, update = handlers["create"], handlers["update"]

    def extended(answer, props):
        physical_id, known = answer
        return physical_id, {**known, **attributes(physical_id, props)}

    handlers["create"] = lambda logical_id, props, stack: extended(create(logical_id, props, stack), props)
    handlers["update"] = lambda id, old, new, *rest: extended(update(id, old, new, *rest), new)


def keep_tags(bucket, props):
    """The function that empties a bucket asks for its tags first."""
    s3._bucket_tags[bucket] = {tag["Key"]: tag["Value"] for tag in props.get("Tags", [])}
    return {}


def name_fields_as_the_api(arn, props):
    """Fields that the API would answer without their values, as they have the names of the template."""
    definition = ecs._task_defs[arn.split("/")[-1]]
    definition["volumes"] = provisioners._pascal_to_camel(definition["volumes"])
    for container in definition["containerDefinitions"]:
        for field in ("secrets", "healthCheck"):
            if field in container:
                container[field] = provisioners._pascal_to_camel(container[field])
    return {}


# A database server: the record is MiniStack's, the server behind it is the PostgreSQL of this machine.


def servers():
    return json.loads((STATE / "servers.json").read_text())


def statement(server, text, login=None, **parameters):
    login = login or server
    connection = pg8000.native.Connection(
        login["username"],
        host=server["host"],
        port=server["port"],
        password=login["password"],
        database="postgres",
        ssl_context=ssl.create_default_context(cafile=server["caFile"]),
    )
    try:
        return connection.run(text, **parameters)
    finally:
        connection.close()


def give_server(stack_name, logical_id, physical_id, props):
    instance = rds._instances[physical_id]
    server = servers().get(f"{stack_name}/{logical_id}")
    if server:
        instance["Endpoint"] |= {"Address": server["host"], "Port": server["port"]}
        instance["MasterUsername"] = server["username"]
        if props.get("DBName") and not statement(server, "SELECT 1 FROM pg_database WHERE datname = :name", name=props["DBName"]):
            statement(server, f"CREATE DATABASE {pg8000.native.identifier(props['DBName'])}")
    else:
        note_pretended("AWS::RDS::DBInstance")
    attributes = provisioners._rds_db_instance_attrs(instance)
    if str(props.get("ManageMasterUserPassword")).lower() == "true":
        key = props.get("MasterUserSecret", {}).get("KmsKeyId")
        attributes["MasterUserSecret.SecretArn"] = managed_master_secret(instance, server, key)
    return attributes


def managed_master_secret(instance, server, key):
    """The secret that RDS keeps for the master user, named as RDS names it."""
    name = f"rds!db-{instance['DbiResourceId'].lower()}"
    if name not in secretsmanager._secrets:
        password = server["password"] if server else secrets.token_urlsafe(24)
        value = {"username": instance["MasterUsername"], "password": password}
        create_secret(name, {"Name": name, "SecretString": json.dumps(value), "KmsKeyId": key}, "rds")
    return secretsmanager._secrets[name]["ARN"]


def server_of(instance):
    return next((s for s in servers().values() if s["port"] == instance["Endpoint"]["Port"]), None)


def make_proxy_account(instance):
    """The role that RDS Proxy checks its target with; RDS creates it when the target is registered."""
    server = server_of(instance)
    if server and not statement(server, "SELECT FROM pg_roles WHERE rolname = 'rdsproxyadmin'", server["superuser"]):
        statement(server, "CREATE ROLE rdsproxyadmin LOGIN", server["superuser"])


def take_server(physical_id):
    """Deletes what the server held, as the deletion of an instance does: all databases and roles that a new one does not have."""
    instance = rds._instances[physical_id]
    server = server_of(instance)
    if server:
        rdsadmin = server["superuser"]
        databases = statement(
            server,
            "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname NOT IN ('postgres', 'rdsadmin')",
            rdsadmin,
        )
        for [name] in databases:
            statement(server, f"DROP DATABASE {pg8000.native.identifier(name)} WITH (FORCE)", rdsadmin)
        roles = statement(
            server,
            "SELECT rolname FROM pg_roles WHERE rolname !~ '^(pg_|rds)' AND NOT rolsuper AND rolname <> :master",
            rdsadmin,
            master=server["username"],
        )
        for [name] in roles:
            role = pg8000.native.identifier(name)
            statement(server, f"DROP OWNED BY {role}; DROP ROLE {role}", rdsadmin)
    secretsmanager._secrets.pop(f"rds!db-{instance['DbiResourceId'].lower()}", None)


def wrap_database_instance():
    handlers = HANDLERS["AWS::RDS::DBInstance"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_instance(logical_id, props, stack_name):
        physical_id, _ = create(logical_id, props, stack_name)
        return physical_id, give_server(stack_name, logical_id, physical_id, props)

    def update_instance(physical_id, old_props, new_props, stack_name, logical_id=None):
        physical_id, _ = update(physical_id, old_props, new_props, stack_name, logical_id)
        return physical_id, give_server(stack_name, logical_id, physical_id, new_props)

    def delete_instance(physical_id, props):
        if str(rds._instances[physical_id].get("DeletionProtection")).lower() == "true":
            raise ValueError(f"Cannot delete protected DB Instance {physical_id}, turn off deletion protection first")
        take_server(physical_id)
        delete(physical_id, props)

    handlers |= {"create": create_instance, "update": update_instance, "delete": delete_instance}


# A proxy: what stands behind it asks for the logins of the template. Clients find it by a name that whoever starts them replaces.
# MiniStack has an API for proxies, but no resource types: they act through it, so that it tells of them.


def ask_rds(action, **parameters):
    """What the API answers, or an exception."""
    status, _, body = rds._ACTION_MAP[action]({"Action": action, **parameters})
    if status >= 400:
        raise ValueError(body.decode())
    return body


def members(name, values):
    return {f"{name}.member.{index}": value for index, value in enumerate(values, 1)}


def wrap_proxy():
    def record(stack_name, logical_id, props):
        proxies[logical_id] = [auth["SecretArn"] for auth in props.get("Auth", [])]
        (STATE / "proxies.json").write_text(json.dumps(proxies))
        roles[logical_id] = props["RoleArn"]
        (STATE / "proxy-roles.json").write_text(json.dumps(roles))
        name = props["DBProxyName"]
        if f"{stack_name}/{logical_id}" not in servers():
            note_pretended("AWS::RDS::DBProxy")
            pretended.add(name)
        proxy = rds._db_proxies[name]
        proxy["Endpoint"] = f"{logical_id.lower()}.proxy.invalid"
        return name, {name: proxy[name] for name in ("Endpoint", "DBProxyArn", "VpcId")}

    proxies = {}
    roles = {}
    logical_ids = {}
    pretended = set()
    registered = []
    view_of_rds = rds._db_proxy_target_view

    def view(target):
        seen = view_of_rds(target)
        name = next((name for name, proxy in rds._db_proxies.items() if any(one is target for one in proxy["Targets"])), None)
        if name in logical_ids and name not in pretended:
            # Whoever runs the proxy says whether its account gets in; until then, RDS does not know.
            health = STATE / "target-health.json"
            said = json.loads(health.read_text()) if health.exists() else {}
            problem = said.get(logical_ids[name], "not looked at yet")
            if problem:
                seen["TargetHealth"] = {"State": "UNAVAILABLE", "Reason": "AUTH_FAILURE", "Description": problem}
        return seen

    rds._db_proxy_target_view = view

    def create_proxy(logical_id, props, stack_name):
        logical_ids[props["DBProxyName"]] = logical_id
        auth = {
            f"Auth.member.{index}.{name}": value
            for index, entry in enumerate(props.get("Auth", []), 1)
            for name, value in entry.items()
        }
        scalars = {name: props[name] for name in ("DBProxyName", "EngineFamily", "RoleArn")}
        ask_rds("CreateDBProxy", **scalars, **auth, **members("VpcSubnetIds", props["VpcSubnetIds"]))
        return record(stack_name, logical_id, props)

    def update_proxy(physical_id, old_props, new_props, stack_name, logical_id=None):
        return record(stack_name, logical_ids[physical_id], new_props)

    def delete_proxy(physical_id, props):
        proxies.pop(logical_ids.pop(physical_id, None), None)
        (STATE / "proxies.json").write_text(json.dumps(proxies))
        ask_rds("DeleteDBProxy", DBProxyName=physical_id)

    HANDLERS["AWS::RDS::DBProxy"] = {"create": create_proxy, "update": update_proxy, "delete": delete_proxy}

    def register_targets(logical_id, props, stack_name):
        name = props["DBProxyName"]
        ask_rds("RegisterDBProxyTargets", DBProxyName=name, **members("DBInstanceIdentifiers", props["DBInstanceIdentifiers"]))
        for identifier in props["DBInstanceIdentifiers"]:
            make_proxy_account(rds._instances[identifier])
        registered.append(logical_ids[name])
        (STATE / "targets.json").write_text(json.dumps(registered))
        return f"{name}/default", {"TargetGroupArn": rds._db_proxies[name]["TargetGroup"]["TargetGroupArn"]}

    def keep_targets(physical_id, old_props, new_props, stack_name, logical_id=None):
        group = rds._db_proxies[new_props["DBProxyName"]]["TargetGroup"]
        return physical_id, {"TargetGroupArn": group["TargetGroupArn"]}

    def forget_targets(physical_id, props):
        if props["DBProxyName"] in rds._db_proxies:
            rds._db_proxies[props["DBProxyName"]]["Targets"].clear()

    HANDLERS["AWS::RDS::DBProxyTargetGroup"] = {
        "create": register_targets,
        "update": keep_targets,
        "delete": forget_targets,
    }


# A snapshot is a record of MiniStack: it holds no data, and is there at once.


def note_snapshots():
    def create(parameters):
        note_pretended("snapshots of servers (rds:CreateDBSnapshot)")
        return create_snapshot(parameters)

    create_snapshot = rds._ACTION_MAP["CreateDBSnapshot"]
    rds._ACTION_MAP["CreateDBSnapshot"] = create


# A cache likewise: what stands behind it asks for the token of the template.


def cache_client(server):
    return valkey.Valkey(
        host=server["host"],
        port=server["port"],
        username=server["username"],
        password=server["password"],
        ssl=True,
        ssl_ca_certs=server["caFile"],
    )


def wrap_replication_group():
    handlers = HANDLERS["AWS::ElastiCache::ReplicationGroup"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def give_cache(stack_name, logical_id, answer, props):
        physical_id, attributes = answer
        server = servers().get(f"{stack_name}/{logical_id}")
        if not server:
            return answer
        with cache_client(server) as client:
            client.config_set("requirepass", props["AuthToken"])
            client.config_rewrite()
        caches[physical_id] = server
        endpoint = {"PrimaryEndPoint.Address": server["host"], "PrimaryEndPoint.Port": str(server["port"])}
        return physical_id, {**attributes, **endpoint}

    caches = {}

    def create_group(logical_id, props, stack_name):
        return give_cache(stack_name, logical_id, create(logical_id, props, stack_name), props)

    def update_group(physical_id, old_props, new_props, stack_name, logical_id=None):
        answer = update(physical_id, old_props, new_props, stack_name, logical_id)
        return give_cache(stack_name, logical_id, answer, new_props)

    def delete_group(physical_id, props):
        server = caches.pop(physical_id, None)
        if server:
            with cache_client(server) as client:
                client.flushall()
        delete(physical_id, props)

    handlers |= {"create": create_group, "update": update_group, "delete": delete_group}


# Secrets: AWS gives the ARN as the id, and leaves out the excluded classes of characters.

create_secret = HANDLERS["AWS::SecretsManager::Secret"]["create"]
EXCLUDED_CLASSES = {
    "ExcludePunctuation": string.punctuation,
    "ExcludeNumbers": string.digits,
    "ExcludeLowercase": string.ascii_lowercase,
    "ExcludeUppercase": string.ascii_uppercase,
}


def wrap_secret():
    handlers = HANDLERS["AWS::SecretsManager::Secret"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def with_excluded_classes(props):
        generate = props.get("GenerateSecretString")
        if not generate:
            return props
        excluded = generate.get("ExcludeCharacters", "") + "".join(
            characters for key, characters in EXCLUDED_CLASSES.items() if str(generate.get(key)).lower() == "true"
        )
        return {**props, "GenerateSecretString": {**generate, "ExcludeCharacters": excluded}}

    def name_of(arn):
        return next((name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == arn), arn)

    def with_arn(answer):
        _, attributes = answer
        return attributes["Arn"], attributes

    def create_with_arn(logical_id, props, stack_name):
        return with_arn(create(logical_id, with_excluded_classes(props), stack_name))

    def update_secret(arn, old_props, new_props, stack_name, logical_id=None):
        old_props, new_props = with_excluded_classes(old_props), with_excluded_classes(new_props)
        return with_arn(update(name_of(arn), old_props, new_props, stack_name, logical_id))

    handlers |= {
        "create": create_with_arn,
        "update": update_secret,
        "delete": lambda arn, props: delete(name_of(arn), props),
    }


# Nested stacks: MiniStack neither rolls one back that failed, nor keeps what its deletion policies say.

KEPT_ON_DELETE = ("Retain", "RetainExceptOnCreate")
KEPT_ON_ROLLBACK = ("Retain",)


def wrap_nested_stack():
    handlers = HANDLERS["AWS::CloudFormation::Stack"]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def stack_of(physical_id):
        return cloudformation._stacks.get(provisioners._nested_stack_lookup_name(physical_id))

    def policy_of(stack, logical_id):
        return stack["_template"]["Resources"].get(logical_id, {}).get("DeletionPolicy")

    def leave(stack, policies):
        """Takes out of a stack, undeleted, what has one of these deletion policies."""
        for logical_id in list(stack["_resources"]):
            if policy_of(stack, logical_id) in policies:
                del stack["_resources"][logical_id]

    def create_or_roll_back(logical_id, props, stack_name):
        before = set(cloudformation._stacks)
        try:
            return create(logical_id, props, stack_name)
        except Exception:
            for name in [name for name in cloudformation._stacks if name not in before]:
                leave(cloudformation._stacks[name], KEPT_ON_ROLLBACK)
                delete(name, props)
            raise

    def update_or_roll_back(physical_id, old_props, new_props, stack_name):
        before = set(stack_of(physical_id)["_resources"])
        try:
            return update(physical_id, old_props, new_props, stack_name)
        except Exception:
            roll_back(stack_of(physical_id), before)
            update(physical_id, new_props, old_props, stack_name)
            raise

    def roll_back(stack, before):
        resources = stack["_resources"]
        for logical_id in [id for id in resources if id not in before]:
            resource = resources.pop(logical_id)
            if policy_of(stack, logical_id) not in KEPT_ON_ROLLBACK:
                provisioners._delete_resource(
                    resource["ResourceType"],
                    resource["PhysicalResourceId"],
                    resource["Properties"],
                    stack["StackName"],
                    logical_id,
                )
        # CloudFormation sends a custom resource its old properties again; MiniStack would see no change.
        for resource in resources.values():
            if resource["ResourceType"].startswith("Custom::"):
                resource["Properties"] = {**resource["Properties"], "RolledBack": "true"}

    def delete_but_keep(physical_id, props):
        stack = stack_of(physical_id)
        if stack:
            leave(stack, KEPT_ON_ROLLBACK if is_rolled_back(stack) else KEPT_ON_DELETE)
        delete(physical_id, props)

    def is_rolled_back(stack):
        """Whether its parent takes back the deployment that made it."""
        parent = stack_of(stack.get("ParentId"))
        return bool(parent) and "ROLLBACK" in parent["StackStatus"]

    handlers |= {"create": create_or_roll_back, "update": update_or_roll_back, "delete": delete_but_keep}


# Tasks: an agent runs them and says how they ended, with the call that ECS's own agent makes. Without one, nothing runs,
# and the caller of a one-off task is told that it ended well.


def take_task_state():
    def submit(data):
        task = ecs._resolve_task(data["task"], ecs._resolve_cluster_name(data["cluster"]))
        exit_codes = {container["containerName"]: container.get("exitCode") for container in data.get("containers", [])}
        for container in task["containers"]:
            if exit_codes.get(container["name"]) is not None:
                container["exitCode"] = exit_codes[container["name"]]
        code = "EssentialContainerExited" if exit_codes else "TaskFailedToStart"
        ecs._mark_task_stopped(task["taskArn"], task, data["reason"], code)
        return acknowledge(data)

    acknowledge = ecs._ACTION_MAP["SubmitTaskStateChange"]
    ecs._ACTION_MAP["SubmitTaskStateChange"] = submit


def pretend_one_off_tasks():
    run_task = ecs._run_task

    def run_and_stop(data):
        response = run_task(data)
        for task in json.loads(response[2]).get("tasks", []):
            note_pretended("one-off ECS tasks (ecs:RunTask)")
            arn = task["taskArn"]
            ecs._mark_task_stopped(arn, ecs._tasks[arn], "pretended", "EssentialContainerExited", exit_code=0)
        return response

    ecs._ACTION_MAP["RunTask"] = run_and_stop


def end_with_parent():
    while os.read(0, 1024):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    for resource_type, answer in PRETENDED.items():
        pretend(resource_type, answer)
    with_attributes("AWS::EC2::VPC", lambda id, props: {"CidrBlock": props.get("CidrBlock"), "CidrBlockAssociations": []})
    with_attributes("AWS::S3::Bucket", keep_tags)
    with_attributes("AWS::IAM::Role", emulator_iam.give_session)
    fresh = freshness.Freshness(STATE, float(os.environ.get("FRESH_SECONDS", "0")))
    emulator_iam.judge(STATE, fresh)
    recorded = rights.record(STATE)
    for resource_type in ("AWS::IAM::Role", "AWS::IAM::Policy"):
        with_attributes(resource_type, lambda id, props: recorded.note_granted() or {})
    with_attributes("AWS::IAM::Policy", lambda id, props: fresh.note_change(props.get("Roles", [])) or {})
    emulator_record.record(STATE)
    with_attributes("AWS::ECS::TaskDefinition", name_fields_as_the_api)
    wrap_database_instance()
    wrap_proxy()
    note_snapshots()
    wrap_replication_group()
    wrap_secret()
    wrap_nested_stack()
    emulator_lifecycle.enforce(STATE)
    if "ECS_AGENT" in os.environ:
        take_task_state()
    else:
        pretend_one_off_tasks()
    threading.Thread(target=end_with_parent, daemon=True).start()
    app.main()
