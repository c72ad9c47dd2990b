"""Which routes of Superset are served, method by method, and to which callers: all others answer 404."""
