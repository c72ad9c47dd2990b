"""The logins of the tenants, from Secrets Manager.

Nothing else holds a password: neither Superset's metadata, nor a URL, nor a log.
"""

import json
import logging
import os
import threading
import time
from dataclasses import dataclass, field
from functools import cache

import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError

from superset_tenancy.connections.rights import wait_for_rights
from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.timeouts import TIMEOUTS

logger = logging.getLogger(__name__)

#: Seconds after which a login is read again. So long may a tenant go on that was cut off; and one read costs $0.000005.
MAX_AGE = 60
#: Seconds after which it is tried again when Secrets Manager did not answer.
AGAIN = 10

#: Answers by which a tenant is cut off: its key is disabled, its secret deleted, or denied. All others say nothing of the tenant.
CUT_OFF = ("AccessDeniedException", "DecryptionFailure", "ResourceNotFoundException", "InvalidRequestException")


class TenantCutOff(TenancyRefusal):
    """The login must not be used, not even one that is known."""

    def __init__(self) -> None:
        super().__init__("Access to your organisation's data is switched off, or not ready yet. Please ask your administrator.")


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
    #: Whether the password is a token, and the host that of a proxy.
    by_token: bool = False


_logins: dict[str, tuple[float, Login]] = {}
_lock = threading.Lock()


def login_of(tenant: str, refused: Login | None = None) -> Login:
    """The tenant's login; another one than what the server has refused, if there is another by now.

    Raises TenantCutOff when Secrets Manager denies it: what is known of the tenant is then forgotten.
    """
    with _lock:
        read_at, login = _logins.get(tenant, (0.0, None))
    fresh = login is not None and time.monotonic() - read_at < MAX_AGE
    if fresh and (refused is None or login.version != refused.version):
        return login
    now = time.monotonic()
    try:
        login = _read(tenant)
    except Exception as error:
        if _is_cut_off(error):
            with _lock:
                _logins.pop(tenant, None)
            logger.warning("tenant %s: cut off, since its secret cannot be read: %s", tenant, error)
            raise TenantCutOff() from error
        # Secrets Manager is away for a moment: what is known is better than an outage, and the server will judge it.
        if login is None or refused is not None:
            raise
        logger.warning("tenant %s: the login that is known is used on: %s", tenant, error)
        now -= MAX_AGE - AGAIN
    with _lock:
        _logins[tenant] = (now, login)
    return login


def _is_cut_off(error: Exception) -> bool:
    return isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") in CUT_OFF


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
    """One client per process: its connections must not be shared with a fork."""
    return new_client("secretsmanager")


@cache
def patient_secrets_manager(_process: int):
    """The same, for what a process cannot do without: it waits for rights that IAM does not know of yet."""
    client = new_client("secretsmanager")
    wait_for_rights(client)
    return client


def new_client(service: str):
    """A client of AWS. The SDK does not read AWS_REGION."""
    session = botocore.session.get_session()
    # A query waits for it: what is known must be used before its user gives up.
    retries = {"total_max_attempts": 3, "mode": "standard"}
    patient = Config(connect_timeout=2, read_timeout=TIMEOUTS["secretsManager"], retries=retries)
    client = session.create_client(service, region_name=os.environ["AWS_REGION"], config=patient)
    # What the client was made from, AWS' endpoints in all regions, would be kept for other clients: 7 MB in each process.
    session.get_component("data_loader")._cache.clear()
    return client
