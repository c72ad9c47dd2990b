"""Settings of gunicorn for a test: the deployed ones, but every process holds too much memory."""

from superset_tenancy.admission import recycling
from superset_tenancy.admission.recycling import *  # noqa: F403 - gunicorn takes what is here

recycling._LARGEST = 1024 * 1024
