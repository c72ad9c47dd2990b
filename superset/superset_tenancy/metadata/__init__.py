"""Superset's own metadata, kept apart by PostgreSQL: each row knows its tenant, and each transaction says whose it is."""
