"""The guard of a text that Superset is about to parse: a query, or an expression such as a metric or a filter."""

from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.sql.guard import check, check_expression
from superset_tenancy.sql.mutator import may_explain
from superset_tenancy.sql.parse_tree import SqlNotUnderstood
from superset_tenancy.sql.refused import SqlRefused


def refuse_text(text: str) -> None:
    """Raises TenancyRefusal unless the text is made of queries, or is an expression."""
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
