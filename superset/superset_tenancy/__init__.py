"""Superset for many tenants: every query runs as the login role of the tenant of the user who asks."""
