"""Superset's settings, from the environment of the task.

Fails at start when something lacks, rather than run with a default that somebody else knows.
"""

import json
import os
from functools import cache
from urllib.parse import quote

import boto3
import psycopg2
from celery.schedules import crontab
from sqlalchemy.engine import URL


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
    "sslrootcert": required("PGSSLROOTCERT"),
}
METADATA_SECRET = required("SUPERSET_DATABASE_SECRET")
REGION = required("AWS_REGION")


@cache
def secrets_manager(_process: int):
    """One client per process: its connections must not be shared with a fork. boto3 does not read AWS_REGION."""
    return boto3.Session(region_name=REGION).client("secretsmanager")


def metadata_login() -> dict:
    secret = secrets_manager(os.getpid()).get_secret_value(SecretId=METADATA_SECRET)
    login = json.loads(secret["SecretString"])
    return {"user": login["username"], "password": login["password"]}


def connect_to_metadata():
    """Connects with today's password: RDS makes a new one every week."""
    return psycopg2.connect(**METADATA, **metadata_login())


def metadata_uri(user: str, password: str) -> str:
    uri = URL.create(
        "postgresql+psycopg2",
        username=user,
        password=password,
        host=METADATA["host"],
        port=int(METADATA["port"]),
        database=METADATA["dbname"],
        query={name: METADATA[name] for name in ("sslmode", "sslrootcert")},
    )
    return uri.render_as_string(hide_password=False)


# The migration connects by the URI, and ends soon. Superset's own engine connects by the function; a listener on all engines
# would log tenants' connections in as well.
SQLALCHEMY_DATABASE_URI = metadata_uri(**metadata_login())
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
    # A class of ours has no schedule of Superset's. Without pruning, these tables only grow.
    beat_schedule = {
        "reports.scheduler": {
            "task": "reports.scheduler",
            "schedule": crontab(),
            "options": {"expires": 3600},
        },
        "reports.prune_log": {"task": "reports.prune_log", "schedule": crontab(minute=0, hour=0)},
        **{
            task: {
                "task": task,
                "schedule": crontab(minute=30, hour=hour),
                "kwargs": {"retention_period_days": days},
            }
            for task, hour, days in (("prune_query", 0, 90), ("prune_logs", 1, 180), ("prune_tasks", 2, 90))
        },
    }


# One proxy, the load balancer, stands in front. It sets these three headers; what else a client sends is not believed.
ENABLE_PROXY_FIX = True
PROXY_FIX_CONFIG = {"x_for": 1, "x_proto": 1, "x_port": 1, "x_host": 0, "x_prefix": 0}
# In e-mails.
WEBDRIVER_BASEURL_USER_FRIENDLY = required("SUPERSET_URL")
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# CVE-2024-53949: whoever reaches it may make users and roles.
FAB_ADD_SECURITY_API = False
