"""Superset parses PostgreSQL's SQL with PostgreSQL's parser, and only what the guard has let through.

Superset parses all SQL of a request with `SQLScript` or `SQLStatement` before it does anything else: to format it, to find its
tables, to check a metric or a filter, to limit its rows. For PostgreSQL both make statements of the overlay's class.
"""

from typing import Any

import sqlglot
from postgast import scan
from superset.sql import parse

from superset_tenancy.sql.parse_tree import same_sql
from superset_tenancy.sql.rebinding import rebind
from superset_tenancy.sql.statement import PostgresStatement
from superset_tenancy.sql.text_guard import refuse_text

_ENGINE = "postgresql"


def parse_with_postgres() -> None:
    """A second call changes nothing."""
    parse.SQLScript.special_engines[_ENGINE] = PostgresStatement
    parse.SQLStatement.__new__ = _statement_of_engine
    if parse.SQLScript.format is not _format:
        parse.SQLScript.format = _format
    original = parse.sanitize_clause
    if original.__module__ != __name__:
        rebind(original, _sanitizer(original))


def _statement_of_engine(cls: type, statement: str | None = None, engine: str = "base", ast: Any = None) -> Any:
    """Stands in for `SQLStatement.__new__`: what is no SQLStatement is not initialised as one."""
    if engine == _ENGINE:
        return PostgresStatement(statement, engine, ast)
    return object.__new__(cls)


def _sanitizer(original: Any) -> Any:
    def sanitize_clause(clause: str, engine: str) -> str:
        """Stands in for Superset's, which writes the clause in other words."""
        if engine != _ENGINE:
            return original(clause, engine)
        refuse_text(clause)
        return without_line_comments(clause)

    return sanitize_clause


def without_line_comments(clause: str) -> str:
    """A clause that may be followed by something on its last line."""
    if "--" not in clause:
        return clause
    encoded, position, parts = clause.encode(), 0, []
    for token in scan(clause).tokens:
        comment = encoded[token.start : token.end]
        if comment.startswith(b"--"):
            parts += [encoded[position : token.start], b"/*" + comment[2:].replace(b"*/", b"").replace(b"/*", b"") + b" */"]
            position = token.end
    return b"".join([*parts, encoded[position:]]).decode()


def _format(self: Any, comments: bool = True) -> str:
    """Stands in for `SQLScript.format`: indented, if that leaves the SQL what it is to PostgreSQL."""
    texts = [statement.format(comments) for statement in self.statements]
    if self.engine == _ENGINE:
        texts = [_indented(text) for text in texts]
    return ";\n".join(texts)


def _indented(text: str) -> str:
    try:
        (indented,) = sqlglot.transpile(text, read="postgres", write="postgres", pretty=True)
    except Exception:  # sqlglot stumbles over some texts with errors of Python's.
        return text
    return indented if same_sql(text, indented) else text
