"""Which servers stand behind a proxy (RDS Proxy), and how a tenant's login is then connected to.

A tenant's secret names the server itself, which rotation and the provisioner need. SUPERSET_DATABASE_PROXIES says by which proxy
Superset goes to it; a server that is not listed is connected to directly.
"""

import json
import os
from typing import NamedTuple

from superset_tenancy.connections.credentials import Login

VARIABLE = "SUPERSET_DATABASE_PROXIES"


class Endpoint(NamedTuple):
    """Where a connection goes to."""

    host: str
    port: int


def read_proxies(text: str) -> dict[Endpoint, Endpoint]:
    """The variable's value: a JSON object of "host:port" to "host:port"; nothing at all is no proxy."""
    try:
        proxies = json.loads(text or "{}")
        return {endpoint_of(server): endpoint_of(proxy) for server, proxy in proxies.items()}
    except (ValueError, AttributeError) as error:
        raise RuntimeError(
            f'{VARIABLE} is {text!r}: it must be a JSON object such as {{"server.example.com:5432": "proxy.example.com:5432"}}'
        ) from error


def endpoint_of(text: str) -> Endpoint:
    """An endpoint as "host:port"."""
    host, _, port = text.rpartition(":")
    if not host:
        raise ValueError(f"{text!r} has no port")
    return Endpoint(host.lower(), int(port))


PROXIES = read_proxies(os.environ.get(VARIABLE, ""))


def proxy_of(login: Login) -> Endpoint | None:
    """The proxy in front of the login's server, if there is one."""
    return PROXIES.get(Endpoint(login.host.lower(), login.port))
