"""Superset as it comes, with the same servers around it: what the overlay is measured against."""

import os

SECRET_KEY = os.environ["SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = os.environ["STOCK_METADATA_URI"]
_CACHE = (
    f"rediss://:{os.environ['SUPERSET_CACHE_TOKEN']}@{os.environ['SUPERSET_CACHE_HOST']}"
    f":{os.environ['SUPERSET_CACHE_PORT']}/5?ssl_cert_reqs=required&ssl_check_hostname=true"
)
CACHE_CONFIG = DATA_CACHE_CONFIG = FILTER_STATE_CACHE_CONFIG = EXPLORE_FORM_DATA_CACHE_CONFIG = {
    "CACHE_TYPE": "RedisCache",
    "CACHE_REDIS_URL": _CACHE,
    "CACHE_DEFAULT_TIMEOUT": 300,
}
FEATURE_FLAGS = {"DASHBOARD_RBAC": True}
