"""Refusals, and how their reasons reach the caller."""
