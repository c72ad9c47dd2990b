"""PostgreSQL's own parser: the statements of a text as the server will read them, as parse trees in JSON.

JSON rather than protobuf: its decoder in Python refuses trees of more than 100 levels, which fifty values joined with || have.
"""

import json
from dataclasses import dataclass
from typing import Any

from postgast.native import lib

from superset_tenancy.sql.refused import SqlRefused, shown

#: Superset filters by up to 10,000 values.
MAX_BYTES = 1_000_000
_MAX_TREE_BYTES = 8_000_000
_LINE_END = "\n"


class SqlNotUnderstood(SqlRefused):
    """PostgreSQL would not understand the text either."""


@dataclass(frozen=True)
class Statement:
    """One statement of a text."""

    #: Type of its node, such as SelectStmt.
    kind: str
    tree: dict[str, Any]
    text: str


def statements_of(sql: str) -> list[Statement]:
    """Raises SqlRefused if the text is too long, or is no SQL."""
    encoded = _encoded(sql)
    parsed = lib.pg_query_parse(encoded)
    try:
        if parsed.error:
            error = parsed.error.contents
            raise _not_understood(sql, error.message.decode(errors="replace"), error.cursorpos)
        tree = parsed.parse_tree
    finally:
        lib.pg_query_free_parse_result(parsed)
    if len(tree) > _MAX_TREE_BYTES:
        raise SqlRefused("This SQL has too many parts. Please shorten it: up to 10,000 values are usual.")
    try:
        found = json.loads(tree).get("stmts", [])
    except RecursionError as error:
        raise SqlRefused("This SQL is nested too deeply. Please simplify it.") from error
    return [_statement(raw, encoded) for raw in found if raw.get("stmt")]


def place_of(sql: str, byte: int) -> str:
    """Line and column of a byte of the text, for a message; nothing if PostgreSQL does not say where."""
    if byte < 0:
        return ""
    before = sql.encode()[:byte].decode(errors="replace")
    return f" (line {before.count(_LINE_END) + 1}, column {len(before) - before.rfind(_LINE_END)})"


def _encoded(sql: str) -> bytes:
    if "\0" in sql:
        raise SqlRefused("This SQL has a NUL character, where the driver would end it. Please remove it.")
    try:
        encoded = sql.encode()
    except UnicodeEncodeError as error:
        raise SqlRefused("This SQL has a character that is not Unicode. Please remove it.") from error
    if len(encoded) > MAX_BYTES:
        raise SqlRefused(f"This SQL has {len(encoded):,} bytes; up to {MAX_BYTES:,} are allowed. Please shorten it.")
    return encoded


def _not_understood(sql: str, message: str, character: int) -> SqlRefused:
    if "memory exhausted" in message:
        return SqlRefused("This SQL is nested too deeply. Please simplify it.")
    where = place_of(sql, len(sql[: character - 1].encode())) if character else ""
    hint = " Jinja templates are not allowed here." if "{{" in sql or "{%" in sql else ""
    return SqlNotUnderstood(f"This SQL could not be understood: {shown(message)}{where}. Please check what stands there.{hint}")


def _statement(raw: dict[str, Any], encoded: bytes) -> Statement:
    ((kind, tree),) = raw["stmt"].items()
    start = raw.get("stmt_location", 0)
    text = encoded[start : start + raw["stmt_len"]] if "stmt_len" in raw else encoded[start:]
    return Statement(kind, tree, text.decode())
