"""Superset parses no text of PostgreSQL's that the guard has not seen.

Superset parses all SQL of a request with `SQLScript` or `SQLStatement` before it does anything else: to format it, to find its
tables, to check a metric or a filter, to limit its rows. All of that comes through the one method that is guarded here.
"""

from typing import Any

from superset.sql import parse

from superset_tenancy.refusal import TenancyRefusal
from superset_tenancy.sql.guard import check, check_expression
from superset_tenancy.sql.mutator import may_explain
from superset_tenancy.sql.parse_tree import SqlNotUnderstood
from superset_tenancy.sql.refused import SqlRefused

_POSTGRES = ("postgresql",)
_GUARDED = "_is_guarded"


def guard_parsing() -> None:
    """A second call changes nothing."""
    original = parse.SQLStatement._parse
    if getattr(original.__func__, _GUARDED, False):
        return

    def parse_guarded(cls: type, script: str, engine: str) -> Any:
        if engine in _POSTGRES:
            refuse_text(script)
        return original.__func__(cls, script, engine)

    setattr(parse_guarded, _GUARDED, True)
    parse.SQLStatement._parse = classmethod(parse_guarded)


def refuse_text(text: str) -> None:
    """Raises TenancyRefusal unless the text is made of queries, or is an expression, such as a metric."""
    try:
        _check(text)
    except SqlRefused as refusal:
        raise TenancyRefusal(str(refusal)) from refusal


def _check(text: str) -> None:
    try:
        check(text, explain_allowed=may_explain, empty_allowed=True)
    except SqlNotUnderstood as no_query:
        try:
            check_expression(text)
        except SqlNotUnderstood:
            raise no_query from None
