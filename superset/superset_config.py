"""Superset's settings, from the environment of the task.

Fails at start when something lacks, rather than run with a default that somebody else knows. What is not set here is as safe as
Superset has it.
"""

import json
import os
from datetime import timedelta
from urllib.parse import quote

import psycopg2
from celery.schedules import crontab
from redis import Redis
from sqlalchemy.engine import URL

from superset_tenancy.admission.middleware import LARGEST_BODY, OF_REQUESTS
from superset_tenancy.connections.credentials import patient_secrets_manager
from superset_tenancy.connections.hooks import connect_as_tenant, engine_context
from superset_tenancy.event_log import RequestEventLogger
from superset_tenancy.install import install
from superset_tenancy.metadata.engine_login import log_engines_in
from superset_tenancy.requests.caches import TenantResults
from superset_tenancy.requests.related import own_roles, own_users
from superset_tenancy.security import TenantSecurityManager
from superset_tenancy.sign_in.password_policy import check_policy
from superset_tenancy.sql.mutator import refuse_other_than_queries
from superset_tenancy.timeouts import TIMEOUTS
from superset_tenancy.workers.health import live  # noqa: F401 - Celery calls it
from superset_tenancy.workers.own_queues import route_to_own_queue


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
required("SUPERSET_DATABASE_SECRET")
required("AWS_REGION")


def metadata_login() -> dict:
    secret = patient_secrets_manager(os.getpid()).get_secret_value(SecretId=required("SUPERSET_DATABASE_SECRET"))
    login = json.loads(secret["SecretString"])
    return {"user": login["username"], "password": login["password"]}


def connect_to_metadata():
    """Connects with today's password: RDS makes a new one every week."""
    return psycopg2.connect(**METADATA, **metadata_login(), connect_timeout=TIMEOUTS["metadataConnect"])


def metadata_uri() -> str:
    uri = URL.create(
        "postgresql+psycopg2",
        host=METADATA["host"],
        port=int(METADATA["port"]),
        database=METADATA["dbname"],
        query={name: METADATA[name] for name in ("sslmode", "sslrootcert")},
    )
    return str(uri)


# Superset's own engine connects by the function; Alembic makes an engine of the URI.
SQLALCHEMY_DATABASE_URI = metadata_uri()
log_engines_in(METADATA, metadata_login)
SQLALCHEMY_ENGINE_OPTIONS = {
    "creator": connect_to_metadata,
    "pool_pre_ping": True,
    # One for each request at work; those that are streamed hold a second one while they end.
    "pool_size": OF_REQUESTS.together,
    "max_overflow": OF_REQUESTS.each,
    "pool_timeout": TIMEOUTS["metadataPool"],
}

# The certificate is verified with its host name. Redis-py takes the one word, Celery the other.
_CACHE = (
    f"rediss://:{quote(required('SUPERSET_CACHE_TOKEN'), safe='')}"
    f"@{required('SUPERSET_CACHE_HOST')}:{required('SUPERSET_CACHE_PORT')}"
)
_VERIFIED = "ssl_cert_reqs=required&ssl_check_hostname=true"
_ANSWERS_SOON = f"socket_connect_timeout={TIMEOUTS['valkey']}&socket_timeout={TIMEOUTS['valkey']}"


def _redis(database: int) -> Redis:
    return Redis.from_url(f"{_CACHE}/{database}?{_VERIFIED}&{_ANSWERS_SOON}")


def _cache(prefix: str) -> dict:
    return {
        "CACHE_TYPE": "superset_tenancy.requests.caches.TenantCache",
        "CACHE_REDIS_URL": f"{_CACHE}/1?{_VERIFIED}&{_ANSWERS_SOON}",
        "CACHE_KEY_PREFIX": prefix,
        "CACHE_DEFAULT_TIMEOUT": 300,
    }


CACHE_CONFIG = _cache("superset_")
DATA_CACHE_CONFIG = _cache("superset_data_")
FILTER_STATE_CACHE_CONFIG = _cache("superset_filter_")
EXPLORE_FORM_DATA_CACHE_CONFIG = _cache("superset_explore_")

# Results of asynchronous queries wait here for whoever asked.
RESULTS_BACKEND = TenantResults(host=_redis(2), key_prefix="superset_results_", default_timeout=3600)

# Sessions live on the server, so that signing out, or being deactivated, ends them.
SESSION_SERVER_SIDE = True
SESSION_TYPE = "redis"
SESSION_REDIS = _redis(3)
SESSION_KEY_PREFIX = "superset_session_"
SESSION_PERMANENT = True
PERMANENT_SESSION_LIFETIME = 8 * 3600
# Tokens end with what they were signed for, as sessions do; and by themselves.
JWT_ACCESS_TOKEN_EXPIRES = timedelta(minutes=15)
JWT_REFRESH_TOKEN_EXPIRES = timedelta(hours=8)
GUEST_TOKEN_JWT_EXP_SECONDS = 300
FAB_PASSWORD_COMPLEXITY_ENABLED = True
FAB_PASSWORD_COMPLEXITY_VALIDATOR = check_policy

# Whose share a request is counted to, and how many asynchronous queries a tenant has.
ADMISSION_REDIS = _redis(5)

# The page waits longer than a query may take, so that it shows the reason and not a time-out of its own.
SUPERSET_WEBSERVER_TIMEOUT = TIMEOUTS["page"]
SQLLAB_TIMEOUT = TIMEOUTS["request"]
SQLLAB_ASYNC_TIME_LIMIT_SEC = TIMEOUTS["asynchronousSoft"]

# All processes count attempts to sign in together. Superset counts only if it is told that this is production; and then a
# company behind one address, with a dashboard of thirty charts, would be refused at fifty requests a second.
RATELIMIT_ENABLED = True
RATELIMIT_APPLICATION = None
RATELIMIT_STORAGE_URI = f"{_CACHE}/4?{_VERIFIED}"


class CELERY_CONFIG:
    broker_url = f"{_CACHE}/0?{_VERIFIED}"
    result_backend = f"{_CACHE}/0?{_VERIFIED}"
    broker_connection_retry_on_startup = True
    imports = ("superset.sql_lab", "superset.tasks.scheduler")
    task_routes = (route_to_own_queue,)
    worker_prefetch_multiplier = 1
    task_acks_late = True
    # A task that is acknowledged late is given to another worker when this has passed.
    broker_transport_options = {"visibility_timeout": TIMEOUTS["brokerVisibility"]}
    task_soft_time_limit = TIMEOUTS["asynchronousSoft"]
    task_time_limit = TIMEOUTS["asynchronousHard"]
    # Superset gives this one six hours, whatever is set.
    task_annotations = {
        "sql_lab.get_sql_results": {
            "soft_time_limit": TIMEOUTS["asynchronousSoft"],
            "time_limit": TIMEOUTS["asynchronousHard"],
        }
    }
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


FEATURE_FLAGS = {
    # A dashboard is for those to whose role it was given.
    "DASHBOARD_RBAC": True,
    # Guests belong to the tenant of their dashboard.
    "EMBEDDED_SUPERSET": True,
    # Jinja in SQL runs on the server, before anything has looked at the SQL.
    "ENABLE_TEMPLATE_PROCESSING": False,
    # Would join all databases in one.
    "ENABLE_SUPERSET_META_DB": False,
    # EXPLAIN tells how many rows other tenants have.
    "ESTIMATE_QUERY_COST": False,
    # Rules of Superset's own hold in SQL Lab, too, where somebody makes them.
    "RLS_IN_SQLLAB": True,
    # Tabs of SQL Lab stay in the browser: the server keeps them by number, and asks nobody whose they are.
    "SQLLAB_BACKEND_PERSISTENCE": False,
}
# A guest may do what a viewer may, and has no role of a tenant: the dashboard says whose guest it is.
GUEST_ROLE_NAME = "tenancy:guest"

# Every connection to a tenant's data, and who may see what was read.
CUSTOM_SECURITY_MANAGER = TenantSecurityManager
ENGINE_CONTEXT_MANAGER = engine_context
DB_CONNECTION_MUTATOR = connect_as_tenant
SQL_QUERY_MUTATOR = refuse_other_than_queries
MUTATE_ALERT_QUERY = True
# Superset asks for these in SQL Lab only, and prints them all. What the allow-list refuses holds for charts, too, and says why.
DISALLOWED_SQL_FUNCTIONS: dict[str, set[str]] = {}
EXTRA_RELATED_QUERY_FILTERS = {"user": own_users, "role": own_roles}
FLASK_APP_MUTATOR = install
EVENT_LOGGER = RequestEventLogger()

# One proxy, the load balancer, stands in front. It sets these three headers; what else a client sends is not believed.
ENABLE_PROXY_FIX = True
PROXY_FIX_CONFIG = {"x_for": 1, "x_proto": 1, "x_port": 1, "x_host": 0, "x_prefix": 0}
# In e-mails.
WEBDRIVER_BASEURL_USER_FRIENDLY = required("SUPERSET_URL")
# A browser takes it over TLS only, from this host only, for all of its paths: no neighbour under the same domain sets it.
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"

# Pages load from here only: no telemetry (they ask for a picture from elsewhere, which the browser then refuses), no maps from
# abroad, and nobody frames them. TLS ends at the load balancer, whose
# health check comes without it.
TALISMAN_ENABLED = True
TALISMAN_CONFIG = {
    "content_security_policy": {
        "default-src": ["'self'"],
        "base-uri": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'", "data:"],
        "script-src": ["'self'", "'strict-dynamic'"],
        "frame-ancestors": ["'self'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": True,
    "strict_transport_security": True,
}

# CVE-2024-53949: whoever reaches it may make users and roles.
FAB_ADD_SECURITY_API = False
# Nobody becomes a user by asking, and nobody who is not signed in sees anything.
AUTH_USER_REGISTRATION = False
PUBLIC_ROLE_LIKE = None
# A body of more than that is not read. A filter of 10,000 values takes about one of them.
MAX_CONTENT_LENGTH = LARGEST_BODY
MAX_FORM_MEMORY_SIZE = LARGEST_BODY
ZIPPED_FILE_MAX_SIZE = 4 * 1024 * 1024
ZIP_FILE_MAX_COMPRESS_RATIO = 100
# Files in a tenant's database are the ETL's business.
ALLOWED_EXTENSIONS: set[str] = set()
# An import may name an address that Superset would fetch rows from.
DATASET_IMPORT_ALLOWED_DATA_URLS: list[str] = []
# Superset's needs a program that the image does not have; without it, each query would be marked as wrong while it is typed.
SQL_VALIDATORS_BY_ENGINE: dict[str, str] = {}
# Other origins get no answer.
ENABLE_CORS = False
# Themes and their fonts are for all: no tenant changes them.
ENABLE_UI_THEME_ADMINISTRATION = False
PREVENT_UNSAFE_DB_CONNECTIONS = True
ALERT_REPORTS_ENABLE_LINK_REDIRECT = False
