"""Puts the guard of SQL into Superset."""

from superset_tenancy.sql.identifiers import quote_search_path
from superset_tenancy.sql.parser_bounds import bound_sqlglot
from superset_tenancy.sql.parsing import guard_parsing
from superset_tenancy.sql.saved_texts import look_at_saved_texts
from superset_tenancy.sql.templates import keep_templates_out


def guard_sql() -> None:
    """A second call changes nothing."""
    bound_sqlglot()
    keep_templates_out()
    guard_parsing()
    quote_search_path()
    look_at_saved_texts()
