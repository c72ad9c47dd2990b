"""Has the emulator refuse what AWS refuses while a stack is made, rolled back, deleted and made again.

MiniStack itself keeps termination protection, `RetainExceptOnCreate` and Lambda's own retries. This adds the deletion protection
of load balancers, names that are taken, buckets that hold something, and what is still in use. A resource named in `faults.json`
fails once, so that a test can have a deployment fail anywhere.
"""

import json
import re

from ministack.services import alb, cloudwatch_logs, ec2, elasticache, iam, kms, lambda_svc, rds, s3, secretsmanager
from ministack.services.cloudformation import provisioners, stacks

HANDLERS = provisioners._RESOURCE_HANDLERS

# Types whose handlers write over what has the same name: the property, and whether the name is taken.
NAMES = {
    "AWS::ElastiCache::SubnetGroup": ("CacheSubnetGroupName", lambda name: name in elasticache._subnet_groups),
    "AWS::IAM::Role": ("RoleName", lambda name: name in iam._roles),
    "AWS::KMS::Alias": ("AliasName", lambda name: kms._alias_arn(name) in kms._aliases),
    "AWS::Lambda::Function": ("FunctionName", lambda name: name in lambda_svc._functions),
    "AWS::Logs::LogGroup": ("LogGroupName", lambda name: name in cloudwatch_logs._log_groups),
    "AWS::RDS::DBInstance": ("DBInstanceIdentifier", lambda name: name in rds._instances),
    "AWS::RDS::DBParameterGroup": ("DBParameterGroupName", lambda name: name in rds._param_groups),
    "AWS::RDS::DBSubnetGroup": ("DBSubnetGroupName", lambda name: name in rds._subnet_groups),
}


def enforce(state):
    for resource_type, (name_property, is_taken) in NAMES.items():
        refuse_taken_names(resource_type, name_property, is_taken)
    refuse_taken_secrets()
    protect_load_balancers()
    apply_deletion_protection()
    for resource_type, users in USERS.items():
        refuse_deletion_while_used(resource_type, users)
    refuse_deletion_of_full_buckets()
    fail_where_asked(state / "faults.json")


def before(resource_type, operation, check):
    """Has a check run, with the arguments of the handler, before each create or delete of a type."""
    handle = HANDLERS[resource_type][operation]

    def checked(*args):
        check(*args)
        return handle(*args)

    HANDLERS[resource_type][operation] = checked


def refuse_taken_names(resource_type, name_property, is_taken):
    def check(logical_id, props, stack_name):
        name = props.get(name_property)
        if name and is_taken(name):
            raise ValueError(f"Resource of type '{resource_type}' with identifier '{name}' already exists.")

    before(resource_type, "create", check)


def refuse_taken_secrets():
    """A secret keeps its name for as long as it can be restored."""

    def check(logical_id, props, stack_name):
        secret = secretsmanager._secrets.get(props.get("Name"))
        if secret and secret.get("DeletedDate"):
            raise ValueError(
                "You can't create this secret because a secret with this name is already scheduled for deletion: " + props["Name"]
            )
        if secret:
            raise ValueError(f"The operation failed because the secret {props['Name']} already exists. (ResourceExistsException)")

    before("AWS::SecretsManager::Secret", "create", check)


def attributes_of(load_balancer):
    return {one["Key"]: one["Value"] for one in alb._lb_attrs.get(load_balancer, [])}


def protect_load_balancers():
    def check(arn, props):
        if attributes_of(arn).get("deletion_protection.enabled") == "true":
            raise ValueError(f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled")

    before("AWS::ElasticLoadBalancingV2::LoadBalancer", "delete", check)


def apply_deletion_protection():
    """CloudFormation sends RDS what a template says and the one before did not; MiniStack takes the unsaid for the default."""
    update = HANDLERS["AWS::RDS::DBInstance"]["update"]

    def update_and_apply(physical_id, old_props, new_props, *rest):
        answer = update(physical_id, old_props, new_props, *rest)
        said = new_props.get("DeletionProtection")
        if said is not None and said != old_props.get("DeletionProtection"):
            rds._instances[physical_id]["DeletionProtection"] = str(said).lower() == "true"
        return answer

    HANDLERS["AWS::RDS::DBInstance"]["update"] = update_and_apply


# Who holds a resource, so that it cannot be deleted.


def servers_with(key):
    return lambda id: [server["DBInstanceIdentifier"] for server in rds._instances.values() if id in key(server)]


def security_groups_of(server):
    return [group["VpcSecurityGroupId"] for group in server["VpcSecurityGroups"]]


def holders_of_security_group(id):
    balancers = [one["LoadBalancerName"] for one in alb._lbs.values() if id in one["SecurityGroups"]]
    return servers_with(security_groups_of)(id) + balancers


def holders_of_subnet(id):
    balancers = [one["LoadBalancerName"] for one in alb._lbs.values() if id in one["Subnets"]]
    groups = [
        name for name, group in rds._subnet_groups.items() if id in [subnet["SubnetIdentifier"] for subnet in group["Subnets"]]
    ]
    return groups + balancers


def holders_of_vpc(id):
    return [subnet for subnet, record in ec2._subnets.items() if record["VpcId"] == id and not record.get("DefaultForAz")]


USERS = {
    "AWS::EC2::SecurityGroup": holders_of_security_group,
    "AWS::EC2::Subnet": holders_of_subnet,
    "AWS::EC2::VPC": holders_of_vpc,
    "AWS::RDS::DBParameterGroup": servers_with(
        lambda server: [group["DBParameterGroupName"] for group in server["DBParameterGroups"]]
    ),
    "AWS::RDS::DBSubnetGroup": servers_with(lambda server: [server["DBSubnetGroup"]["DBSubnetGroupName"]]),
}


def refuse_deletion_while_used(resource_type, users):
    def check(physical_id, props):
        holders = users(physical_id)
        if holders:
            raise ValueError(f"{resource_type} {physical_id} has dependent objects: {', '.join(holders)} (DependencyViolation)")

    before(resource_type, "delete", check)


def refuse_deletion_of_full_buckets():
    """Load balancers write a test object when their access logs are turned on (ELB User Guide, "Enable access logs")."""

    def write_test_object(arn, props):
        attributes = attributes_of(arn)
        if attributes.get("access_logs.s3.enabled") == "true":
            key = "/".join(filter(None, [attributes.get("access_logs.s3.prefix"), "AWSLogs", "ELBAccessLogTestFile"]))
            s3._put_object(attributes["access_logs.s3.bucket"], key, b"Enable AccessLog", {})

    handlers = HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
    create = handlers["create"]

    def create_and_write(logical_id, props, stack_name):
        arn, attributes = create(logical_id, props, stack_name)
        write_test_object(arn, props)
        return arn, attributes

    def check(name, props):
        if name in s3._buckets and (s3._buckets[name]["objects"] or s3._bucket_has_versions(name)):
            raise ValueError(f"The bucket you tried to delete is not empty: {name}. You must delete all versions in the bucket.")

    handlers["create"] = create_and_write
    before("AWS::S3::Bucket", "delete", check)


def fail_where_asked(faults):
    """Fails the first change of a resource in whose `<stack>/<type>/<logical id>` a pattern is found, and forgets the pattern."""

    def fail(stack_name, resource_type, logical_id):
        patterns = json.loads(faults.read_text()) if faults.exists() else []
        asked = f"{stack_name}/{resource_type}/{logical_id}"
        for pattern in patterns:
            if re.search(pattern, asked):
                faults.write_text(json.dumps([other for other in patterns if other != pattern]))
                raise ValueError(f"The test has {logical_id} fail. (InternalFailure)")

    provision, update = provisioners._provision_resource, provisioners._update_resource

    def provision_or_fail(resource_type, logical_id, props, stack_name):
        fail(stack_name, resource_type, logical_id)
        return provision(resource_type, logical_id, props, stack_name)

    def update_or_fail(resource_type, physical_id, old_props, new_props, stack_name, logical_id=None, *rest):
        if old_props != new_props:
            fail(stack_name, resource_type, logical_id)
        return update(resource_type, physical_id, old_props, new_props, stack_name, logical_id, *rest)

    for module in (provisioners, stacks):
        module._provision_resource = provision_or_fail
        module._update_resource = update_or_fail
