"""Superset's settings, from the environment of the task.

Fails at start when something lacks, rather than run with a default that somebody else knows.
"""

import json
import os
from urllib.parse import quote

import boto3
import psycopg2


def required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set: the task definition must give it")
    return value


SECRET_KEY = required("SUPERSET_SECRET_KEY")
GUEST_TOKEN_JWT_SECRET = required("SUPERSET_GUEST_TOKEN_SECRET")
GLOBAL_ASYNC_QUERIES_JWT_SECRET = required("SUPERSET_ASYNC_QUERIES_SECRET")

METADATA = {
    "host": required("SUPERSET_DATABASE_HOST"),
    "port": required("SUPERSET_DATABASE_PORT"),
    "dbname": required("SUPERSET_DATABASE_NAME"),
    "sslmode": "verify-full",
    "sslrootcert": "/app/rds-global-bundle.pem",
}
METADATA_SECRET = required("SUPERSET_DATABASE_SECRET")


def connect_to_metadata():
    """Connects with today's password: RDS makes a new one every week."""
    secret = boto3.client("secretsmanager").get_secret_value(SecretId=METADATA_SECRET)
    login = json.loads(secret["SecretString"])
    return psycopg2.connect(user=login["username"], password=login["password"], **METADATA)


# Of the metadata's engine only. A listener on all engines would log tenants' connections in as well.
SQLALCHEMY_DATABASE_URI = "postgresql+psycopg2://"
SQLALCHEMY_ENGINE_OPTIONS = {"creator": connect_to_metadata, "pool_pre_ping": True}

_CACHE = (
    f"rediss://:{quote(required('SUPERSET_CACHE_TOKEN'), safe='')}"
    f"@{required('SUPERSET_CACHE_HOST')}:{required('SUPERSET_CACHE_PORT')}"
)


def _cache(database: int, prefix: str) -> dict:
    return {
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": f"{_CACHE}/{database}",
        "CACHE_KEY_PREFIX": prefix,
        "CACHE_DEFAULT_TIMEOUT": 300,
    }


CACHE_CONFIG = _cache(1, "superset_")
DATA_CACHE_CONFIG = _cache(1, "superset_data_")
FILTER_STATE_CACHE_CONFIG = _cache(1, "superset_filter_")
EXPLORE_FORM_DATA_CACHE_CONFIG = _cache(1, "superset_explore_")


class CELERY_CONFIG:  # noqa: N801 - Superset asks for this name
    broker_url = f"{_CACHE}/0?ssl_cert_reqs=required"
    result_backend = f"{_CACHE}/0?ssl_cert_reqs=required"
    imports = ("superset.sql_lab", "superset.tasks.scheduler")
    worker_prefetch_multiplier = 1
    task_acks_late = True


# One proxy, the load balancer, stands in front.
ENABLE_PROXY_FIX = True
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# CVE-2024-53949: whoever reaches it may make users and roles.
FAB_ADD_SECURITY_API = False
