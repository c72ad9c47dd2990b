"""What the environment file asks of Superset: read from a directory, a zip file or S3, and refused unless all of it is right."""

import io
import json
import os
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from marshmallow import Schema, ValidationError, fields, post_load, validate

from superset_tenancy import names
from superset_tenancy.connections.rights import wait_for_rights
from superset_tenancy.provisioning.bundle import Bundle, read_bundle
from superset_tenancy.provisioning.changes import Refused

STATE_FILE = "desired-state.json"
_MAX_BYTES = 100 * 1024 * 1024


@dataclass(frozen=True)
class DesiredTenant:
    """A tenant as its people see it."""

    id: str
    display_name: str
    admin_email: str
    #: Name of the proxy that it logs in by with tokens of IAM; None where it has a secret.
    proxy: str | None = None

    @property
    def database_name(self) -> str:
        return f"{self.display_name} ({self.id})"


@dataclass(frozen=True)
class DesiredState:
    """All tenants, and the content that each is given."""

    tenants: list[DesiredTenant]
    content: Bundle | None


class _TenantSchema(Schema):
    id = fields.String(required=True)
    # Superset's name of a Database has 250 characters, and ends in the id.
    display_name = fields.String(required=True, data_key="displayName", validate=validate.Length(1, 200))
    # It becomes a user name, which has 128.
    admin_email = fields.Email(required=True, data_key="adminEmail", validate=validate.Length(max=128))
    proxy = fields.String(validate=validate.Regexp(r"[a-z][a-z0-9-]{0,62}\Z"))

    @post_load
    def _tenant(self, data: dict[str, str], **_: Any) -> DesiredTenant:
        if names.tenant_of_role(names.role_name(data["id"], "viewer")) != data["id"]:
            raise ValidationError(f'"{data["id"]}" cannot be an id: it must be like tk4q9w', "id")
        return DesiredTenant(**data)


class _StateSchema(Schema):
    version = fields.Integer(required=True, validate=validate.Equal(1))
    tenants = fields.List(fields.Nested(_TenantSchema), required=True)
    content = fields.String(validate=validate.Regexp(r"[A-Za-z0-9_-]+\.zip\Z"))
    own_schema = fields.String(data_key="ownSchema", validate=validate.Length(1, 63))


def read_desired_state(location: str) -> DesiredState:
    """Reads a directory, a `.zip` file or `s3://bucket/key`; raises Refused with all that is wrong with it."""
    read = _reader(location)
    try:
        state = _StateSchema().loads(read(STATE_FILE))
    except ValidationError as error:
        raise Refused([f"{STATE_FILE}: {problem}" for problem in sorted(_flat(error.messages))]) from error
    except json.JSONDecodeError as error:
        raise Refused([f"{STATE_FILE}: is not JSON: {error}"]) from error
    tenants = state["tenants"]
    problems = [f"{STATE_FILE}: tenant {id} is there twice" for id in _twice(tenant.id for tenant in tenants)]
    for email in _twice(tenant.admin_email.lower() for tenant in tenants):
        whose = " and ".join(tenant.id for tenant in tenants if tenant.admin_email.lower() == email)
        problems.append(f"{STATE_FILE}: {email} is to administer {whose}; a person belongs to one tenant")
    bundle = None
    if "content" in state:
        try:
            bundle = read_bundle(state["content"], read(state["content"]), state.get("own_schema"))
        except Refused as refused:
            problems += refused.problems
    if problems:
        raise Refused(problems)
    return DesiredState(tenants, bundle)


def _twice(values: Any) -> list[str]:
    return sorted(value for value, times in Counter(values).items() if times > 1)


def _flat(messages: Any, path: str = "") -> list[str]:
    if isinstance(messages, dict):
        return [line for key, value in messages.items() for line in _flat(value, f"{path}.{key}".strip("."))]
    return [f"{path}: {message}" for message in messages]


def _reader(location: str) -> Callable[[str], bytes]:
    """Gives the content of a file of the desired state by its name."""
    url = urlsplit(location)
    if url.scheme == "s3":
        client = boto3.Session(region_name=os.environ["AWS_REGION"]).client("s3")
        wait_for_rights(client)
        return _zip_reader(location, client.get_object(Bucket=url.netloc, Key=url.path.lstrip("/"))["Body"].read())
    path = Path(location)
    if path.is_dir():
        return lambda name: _read_file(location, path / name)
    return _zip_reader(location, _read_file(location, path))


def _read_file(location: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused([f"{location}: {path.name} cannot be read: {error.strerror}"]) from error


def _zip_reader(location: str, content: bytes) -> Callable[[str], bytes]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise Refused([f"{location}: is no zip file"]) from error

    def read(name: str) -> bytes:
        try:
            if archive.getinfo(name).file_size > _MAX_BYTES:
                raise Refused([f"{location}: {name} is larger than {_MAX_BYTES:,} bytes"])
            return archive.read(name)
        except (KeyError, zipfile.BadZipFile) as error:
            raise Refused([f"{location}: {name} cannot be read: {error}"]) from error

    return read
