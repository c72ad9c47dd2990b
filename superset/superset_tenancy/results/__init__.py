"""Bounds on what a query brings into this process, and on what Superset then computes from it."""
