"""The logins of the tenants, from Secrets Manager.

Nothing else holds a password: neither Superset's metadata, nor a URL, nor a log.
"""

import json
import os
import threading
import time
from dataclasses import dataclass, field
from functools import cache

import botocore.session

#: Seconds after which a login is read again, so that a new host is known before the old one ends.
MAX_AGE = 300


@dataclass(frozen=True)
class Login:
    """How to log in as a tenant."""

    tenant: str
    version: str
    host: str
    port: int
    database: str
    username: str
    password: str = field(repr=False)


_logins: dict[str, tuple[float, Login]] = {}
_lock = threading.Lock()


def login_of(tenant: str, refused: Login | None = None) -> Login:
    """The tenant's login; another one than what the server has refused, if there is another by now."""
    with _lock:
        read_at, login = _logins.get(tenant, (0.0, None))
    fresh = login is not None and time.monotonic() - read_at < MAX_AGE
    if fresh and (refused is None or login.version != refused.version):
        return login
    try:
        login = _read(tenant)
    except Exception:
        # Secrets Manager is away for a moment: what is known is better than an outage, and the server will judge it.
        if login is None or refused is not None:
            raise
    with _lock:
        _logins[tenant] = (time.monotonic(), login)
    return login


def _read(tenant: str) -> Login:
    secret = secrets_manager(os.getpid()).get_secret_value(SecretId=os.environ["SUPERSET_TENANT_SECRET"].format(tenant=tenant))
    value = json.loads(secret["SecretString"])
    return Login(
        tenant=tenant,
        version=secret["VersionId"],
        host=value["host"],
        port=int(value["port"]),
        database=value["database"],
        username=value["username"],
        password=value["password"],
    )


@cache
def secrets_manager(_process: int):
    """One client per process: its connections must not be shared with a fork. The SDK does not read AWS_REGION."""
    session = botocore.session.get_session()
    client = session.create_client("secretsmanager", region_name=os.environ["AWS_REGION"])
    # What the client was made from, AWS' endpoints in all regions, would be kept for other clients: 7 MB in each process.
    session.get_component("data_loader")._cache.clear()
    return client
