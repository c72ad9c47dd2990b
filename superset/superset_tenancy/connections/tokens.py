"""The logins of tenants that have no secret: tokens of IAM in place of passwords, by RDS Proxy.

Role and database are those of the tenant that is asked for. A token is signed for the proxies that SUPERSET_TOKEN_PROXIES lists
and for no other host, whatever a Database object says.
"""

import json
import os
import threading
import time
from functools import cache

from superset_tenancy import names
from superset_tenancy.connections.credentials import Login, new_client
from superset_tenancy.connections.proxies import Endpoint, endpoint_of
from superset_tenancy.refusals.refusal import TenancyRefusal

VARIABLE = "SUPERSET_TOKEN_PROXIES"

#: Seconds for which a token is used again: RDS lets 200 new tokens in a second, and any number of known ones. It takes them for
#: 15 minutes, but not longer than the credentials of the task that signed them live, which is 10 minutes at least.
MAX_AGE = 5 * 60


def read_token_proxies(text: str, secret: str) -> dict[str, Endpoint]:
    """The variable's value: a JSON object of names to "host:port"; nothing at all means that tenants have secrets."""
    try:
        proxies = {name: endpoint_of(proxy) for name, proxy in json.loads(text or "{}").items()}
    except (ValueError, AttributeError) as error:
        raise RuntimeError(
            f'{VARIABLE} is {text!r}: it must be a JSON object such as {{"proxy-a": "proxy-a.example.com:5432"}}'
        ) from error
    if bool(proxies) == bool(secret):
        raise RuntimeError(f"{VARIABLE} or SUPERSET_TENANT_SECRET must be set, and not both: a tenant has one way to log in")
    return proxies


PROXIES = read_token_proxies(os.environ.get(VARIABLE, ""), os.environ.get("SUPERSET_TENANT_SECRET", ""))

_logins: dict[tuple[str, Endpoint], tuple[float, Login]] = {}
_lock = threading.Lock()


def token_login(tenant: str, proxy_name: str | None, refused: Login | None = None) -> Login:
    """The tenant's login by a proxy, with a token that is known if it is young, and is not the one that was refused."""
    proxy = PROXIES.get(proxy_name or "")
    if proxy is None:
        raise TenancyRefusal("This database names no server of your organisation's. Please ask your administrator.")
    now = time.monotonic()
    with _lock:
        signed_at, login = _logins.get((tenant, proxy), (0.0, None))
        if login is None or now - signed_at >= MAX_AGE or login == refused:
            login = _new_login(tenant, proxy)
            _logins[tenant, proxy] = (now, login)
    return login


def _new_login(tenant: str, proxy: Endpoint) -> Login:
    role = names.login_name(tenant)
    token = _rds(os.getpid()).generate_db_auth_token(DBHostname=proxy.host, Port=proxy.port, DBUsername=role)
    return Login(
        tenant=tenant,
        version="",
        host=proxy.host,
        port=proxy.port,
        database=role,
        username=role,
        password=token,
        by_token=True,
    )


@cache
def _rds(_process: int):
    """It signs, and asks nobody but whoever gives the task its credentials."""
    return new_client("rds")
