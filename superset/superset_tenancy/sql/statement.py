"""A statement of PostgreSQL's as Superset works on it: read by PostgreSQL's parser, and run as it was typed.

Superset parses with sqlglot, which does not know all of PostgreSQL, writes what it knows in other words, and makes texts longer.
Here the text stays; a limit is written into it, or put around it.
"""

import re
from typing import Any

from postgast import deparse
from postgast import parse as parse_message
from postgast.errors import PgQueryError
from superset.exceptions import SupersetParseError
from superset.sql.parse import BaseSQLStatement, LimitMethod, RLSMethod, Table

from superset_tenancy.refusals.refusal import TenancyRefusal
from superset_tenancy.sql.grammar import walk
from superset_tenancy.sql.parse_tree import SqlNotUnderstood, Statement, statements_of
from superset_tenancy.sql.text_guard import refuse_text

_NUMBER = re.compile(rb"[0-9][0-9_]*")


class PostgresStatement(BaseSQLStatement[Statement]):
    """One query; or an expression, which Superset asks about in the same words."""

    @classmethod
    def split_script(cls, script: str, engine: str) -> list["PostgresStatement"]:
        refuse_text(script)
        return [cls(ast=statement, engine=engine) for statement in statements_of(script)]

    @classmethod
    def _parse_statement(cls, statement: str, engine: str) -> Statement:
        refuse_text(statement)
        try:
            found = statements_of(statement)
        except SqlNotUnderstood:
            # It is an expression then.
            (found,) = statements_of(f"SELECT (\n{statement}\n)")
            return Statement("Expression", found.tree, statement)
        if len(found) != 1:
            raise SupersetParseError(statement, engine, message="This must be exactly one statement")
        return found[0]

    @classmethod
    def _extract_tables_from_statement(cls, parsed: Statement, engine: str) -> set[Table]:
        if parsed.kind not in ("SelectStmt", "Expression"):
            return set()
        return {
            Table(part["relname"], part.get("schemaname"), part.get("catalogname"))
            for kind, part, ctes in walk(parsed.tree)
            if kind == "RangeVar" and ("schemaname" in part or part["relname"] not in ctes)
        }

    def format(self, comments: bool = True) -> str:
        """The text as it was typed."""
        return self._parsed.text.strip()

    def get_settings(self) -> dict[str, str | bool]:
        return {}

    def is_select(self) -> bool:
        return self._parsed.kind == "SelectStmt"

    def is_mutating(self) -> bool:
        """The guard has refused what is."""
        return False

    def optimize(self) -> "PostgresStatement":
        return self

    def check_functions_present(self, functions: set[str]) -> bool:
        called = {part["funcname"][-1]["String"]["sval"] for kind, part, _ in walk(self._parsed.tree) if kind == "FuncCall"}
        return bool(called & {function.lower() for function in functions})

    def check_tables_present(self, tables: set[str]) -> bool:
        return bool({table.table.lower() for table in self.tables} & {table.lower() for table in tables})

    def get_limit_value(self) -> int | None:
        limit = self._limit() if self.is_select() else None
        return limit.get("ival", {}).get("ival", 0) if limit is not None and "ival" in limit else None

    def set_limit_value(self, limit: int, method: LimitMethod = LimitMethod.FORCE_LIMIT) -> None:
        if not self.is_select() or method == LimitMethod.FETCH_MANY:
            return
        text = self.format()
        number = self._limit() if self._parsed.tree["limitOption"] != "LIMIT_OPTION_WITH_TIES" else None
        if "limitCount" not in self._parsed.tree and method == LimitMethod.FORCE_LIMIT:
            # On a line of its own: the text may end in a comment.
            self._replace(f"{text}\nLIMIT {limit}")
            return
        if number is not None and "ival" in number and number.get("location", -1) >= 0:
            encoded = self._parsed.text.encode()
            place = number["location"] - self._parsed.start
            if found := _NUMBER.match(encoded, place):
                self._replace((encoded[:place] + str(limit).encode() + encoded[found.end() :]).decode())
                return
        # Not run before the guard has seen it once more.
        self._replace(f"SELECT * FROM (\n{text}\n) AS limited LIMIT {limit}")  # noqa: S608

    def has_cte(self) -> bool:
        return "withClause" in self._parsed.tree

    def has_subquery(self) -> bool:
        """Whether it reads any table: an expression has those in sub-queries only."""
        parts = list(walk(self._parsed.tree))
        return sum(kind == "SelectStmt" for kind, *_ in parts) > 1 or any(kind.startswith("Range") for kind, *_ in parts)

    def as_cte(self, alias: str = "__cte") -> Any:
        raise TenancyRefusal("A query is not made a part of another one here.")

    def as_create_table(self, table: Table, method: Any) -> Any:
        raise TenancyRefusal("Tables and views are not made here: only queries run.")

    def parse_predicate(self, predicate: str) -> Any:
        refuse_text(predicate)
        return predicate

    def apply_rls(self, catalog: str | None, schema: str | None, predicates: dict[Table, list[Any]], method: RLSMethod) -> None:
        """Each table with a rule becomes a sub-query that has the rule, wherever the table stands."""
        if not any(predicates.values()):
            return
        try:
            message = parse_message(self._parsed.text)
            for node in _tables_in(message):
                table = node.range_var
                rules = predicates.get(Table(table.relname, table.schemaname or schema, table.catalogname or catalog))
                if rules:
                    _restrict(node, rules)
            self._replace(deparse(message))
        except (PgQueryError, ValueError) as error:
            raise TenancyRefusal("This SQL is nested too deeply for a row-level rule. Please simplify it.") from error

    def _limit(self) -> dict[str, Any] | None:
        return self._parsed.tree.get("limitCount", {}).get("A_Const")

    def _replace(self, text: str) -> None:
        (self._parsed,) = statements_of(text)


def _tables_in(message: Any) -> list[Any]:
    """Nodes that are tables, in a tree of protobuf."""
    found, rest = [], [message]
    while rest:
        part = rest.pop()
        if part.DESCRIPTOR.name == "Node" and part.WhichOneof("node") == "range_var":
            found.append(part)
        for field, value in part.ListFields():
            if field.message_type is not None:
                rest += value if field.is_repeated else [value]
    return found


def _restrict(node: Any, rules: list[str]) -> None:
    condition = " AND ".join(f"({rule}\n)" for rule in rules)
    query = parse_message(f"SELECT * FROM x WHERE {condition}").stmts[0].stmt  # noqa: S608 - parsed, not run
    table = type(node.range_var)()
    table.CopyFrom(node.range_var)
    alias = type(table.alias)()
    alias.CopyFrom(table.alias)
    if not alias.aliasname:
        alias.aliasname = table.relname
    table.ClearField("alias")
    query.select_stmt.from_clause[0].range_var.CopyFrom(table)
    node.range_subselect.subquery.CopyFrom(query)
    node.range_subselect.alias.CopyFrom(alias)
