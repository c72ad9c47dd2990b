"""What a tenant's things are called in Superset, derived from the tenant's id alone.

Names and UUIDs are a contract: they are in the metadata of every deployment, and never change.
"""

import re
import uuid

CAPABILITIES = ("viewer", "analyst", "admin")

_NAMESPACE = uuid.UUID("f3c0a1b4-6d0e-5c1f-9a77-2b8d4f1e6c90")
#: What the id of a tenant looks like.
TENANT_ID = r"[a-z][a-z0-9_]{2,30}"
_TENANT = rf"(?P<tenant>{TENANT_ID})"
_ROLE = re.compile(rf"tenant:{_TENANT}:(?:{'|'.join(CAPABILITIES)})")
_PROXY = r"(?P<proxy>[a-z][a-z0-9-]{0,62})"
_DATABASE_URI = re.compile(rf"postgresql\+psycopg2://{_TENANT}@(?:{_PROXY}\.)?overlay\.invalid/")


def role_name(tenant: str, capability: str) -> str:
    """Role of a tenant's users that may do what the capability says."""
    return f"tenant:{tenant}:{capability}"


def tenant_of_role(name: str) -> str | None:
    """The tenant that a role belongs to, or None for a role of the platform."""
    match = _ROLE.fullmatch(name)
    return match["tenant"] if match else None


def database_uuid(tenant: str) -> uuid.UUID:
    """UUID of the tenant's one Database object."""
    return uuid.uuid5(_NAMESPACE, f"{tenant}/database")


def record_uuid(tenant: str) -> uuid.UUID:
    """UUID of what the provisioner remembers of the tenant."""
    return uuid.uuid5(database_uuid(tenant), "record")


def database_uri(tenant: str, proxy: str | None = None) -> str:
    """URI of the tenant's Database object: it says whose it is, and by which proxy; it leads nowhere without the overlay."""
    return f"postgresql+psycopg2://{tenant}@{f'{proxy}.' if proxy else ''}overlay.invalid/"


def tenant_of_database(uri: str, its_uuid: uuid.UUID | None) -> str | None:
    """The tenant that a Database object belongs to, or None: the name in its URI counts only if the UUID agrees."""
    match = _DATABASE_URI.match(uri)
    return match["tenant"] if match and database_uuid(match["tenant"]) == its_uuid else None


def proxy_of_database(uri: str) -> str | None:
    """The name of the proxy in the URI of a Database object, or None if it has none."""
    match = _DATABASE_URI.match(uri)
    return match["proxy"] if match else None


def login_name(tenant: str) -> str:
    """Login role of a tenant in PostgreSQL; a database that is the tenant's own has the same name."""
    return f"tenant_{tenant}"


def schema_name(tenant: str) -> str:
    """Schema of a tenant's own tables in PostgreSQL."""
    return f"tenant_{tenant}"


def is_schema_of_tenancy(schema: str) -> bool:
    """Whether the database provisioner made the schema: for one tenant, or for itself."""
    return schema == "tenancy" or schema.startswith(("tenant_", "tenancy_"))


def content_uuid(tenant: str, original: str) -> uuid.UUID:
    """UUID of the tenant's copy of a shared chart, dashboard or dataset."""
    return uuid.uuid5(_NAMESPACE, f"{tenant}/content/{original}")
