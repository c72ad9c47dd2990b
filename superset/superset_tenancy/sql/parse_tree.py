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
_PLACES = ("location", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end")


class SqlNotUnderstood(SqlRefused):
    """PostgreSQL would not understand the text either."""


@dataclass(frozen=True)
class Statement:
    """One statement of a text."""

    #: Type of its node, such as SelectStmt.
    kind: str
    tree: dict[str, Any]
    text: str
    #: Byte of the whole text at which it starts: places in the tree are counted from the beginning of the whole.
    start: int = 0


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
    return Statement(kind, tree, text.decode(), start)


def same_sql(one: str, other: str) -> bool:
    """Whether PostgreSQL reads both texts as the same."""
    try:
        trees = [[(found.kind, _without_places(found.tree)) for found in statements_of(text)] for text in (one, other)]
    except SqlRefused:
        return False
    return trees[0] == trees[1]


def _without_places(tree: Any) -> Any:
    if isinstance(tree, list):
        return [_without_places(part) for part in tree]
    if isinstance(tree, dict):
        return {name: _without_places(part) for name, part in tree.items() if name not in _PLACES}
    return tree
