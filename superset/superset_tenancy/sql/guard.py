"""What SQL a tenant's user may run: queries that only read and compute, on the parse tree that PostgreSQL itself makes of a text.

A second guard, in front of PostgreSQL's roles and policies: what a function of an operator does is not known here.
"""

import re
from collections.abc import Callable
from typing import Any

from superset_tenancy.sql.grammar import ALLOWED, parts_of
from superset_tenancy.sql.known_names import KNOWN
from superset_tenancy.sql.parse_tree import SqlNotUnderstood, Statement, place_of, statements_of
from superset_tenancy.sql.refused import SqlRefused, shown

_ONLY_QUERIES = "only queries run here (SELECT, WITH, VALUES or TABLE). Ask your administrator if you need it."
_EXPLAIN_OPTIONS = ("verbose", "costs", "settings", "buffers", "memory", "summary", "format")
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
_WRITING = {"InsertStmt": "INSERT", "UpdateStmt": "UPDATE", "DeleteStmt": "DELETE", "MergeStmt": "MERGE"}
_CLAUSES = {"IntoClause": "INTO", "LockingClause": "FOR UPDATE or FOR SHARE", "ParamRef": "A parameter such as $1"}


def check(
    sql: str, *, explain_allowed: Callable[[], bool] = lambda: False, own_schema: str | None = None, empty_allowed: bool = False
) -> None:
    """Raises SqlRefused unless every statement of the text is a query that only reads.

    With `explain_allowed`, EXPLAIN without ANALYZE and SHOW are let through, too: they tell about the server, and EXPLAIN about
    how many rows others have (ANALYZE would tell exactly).
    """
    statements = statements_of(sql)
    if not statements and not empty_allowed:
        raise SqlRefused("There is no SQL to run.")
    for statement in statements:
        if statement.kind in ("ExplainStmt", "VariableShowStmt") and explain_allowed():
            if statement.kind == "VariableShowStmt":
                continue
            statement = _explained(statement)
        if statement.kind != "SelectStmt":
            raise SqlRefused(f"{_first_word(statement)} is not allowed: {_ONLY_QUERIES}")
        _Query(sql, own_schema).check(statement.tree)


def check_expression(expression: str, own_schema: str | None = None) -> None:
    """Raises SqlRefused unless the text is one expression, such as a metric or a filter, that only reads and computes."""
    for text in (f"SELECT {expression}", f"SELECT ({expression}\n)"):
        # What leaves the parentheses that Superset puts around it is understood in one of the two only.
        statements = statements_of(text)
        if len(statements) != 1:
            raise SqlNotUnderstood("This is more than one expression. Please write one.")
    _Query(text, own_schema).check(statements[0].tree)


def _explained(statement: Statement) -> Statement:
    for option in statement.tree.get("options", []):
        name = option["DefElem"]["defname"]
        if name not in _EXPLAIN_OPTIONS:
            raise SqlRefused(f"EXPLAIN with {shown(name.upper())} is not allowed: only a query's plan can be shown.")
    ((kind, tree),) = statement.tree["query"].items()
    return Statement(kind, tree, f"EXPLAIN of {statement.text}" if kind != "SelectStmt" else statement.text)


def _first_word(statement: Statement) -> str:
    match = _FIRST_WORD.match(statement.text)
    return shown(match[1].upper()) if match else "This statement"


class _Query:
    """One query, which is gone through part by part."""

    def __init__(self, sql: str, own_schema: str | None) -> None:
        self._sql = sql
        self._own_schema = own_schema
        #: Columns that each table made of a function is declared to have, by the name of the table.
        self._function_tables: dict[str, list[set[str]]] = {}
        self._has_unnamed_functions = False
        #: Fields that are read: table, field and where.
        self._fields: list[tuple[str, str, int]] = []

    def check(self, tree: dict[str, Any]) -> None:
        rest: list[tuple[str, dict[str, Any], frozenset[str]]] = [("SelectStmt", tree, frozenset())]
        while rest:
            kind, part, ctes = rest.pop()
            if kind not in ALLOWED:
                raise self._refusal_of_part(kind, part)
            if kind == "A_Const":
                continue
            if kind == "SelectStmt" and "withClause" in part:
                ctes = self._add_ctes(part["withClause"], ctes, rest)
                part = {name: value for name, value in part.items() if name != "withClause"}
            look = getattr(self, f"_look_at_{kind}", None)
            if look:
                look(part, ctes)
            rest += ((kind, part, ctes) for kind, part in parts_of(kind, part))
        self._look_at_fields()

    @staticmethod
    def _add_ctes(clause: dict[str, Any], known: frozenset[str], rest: list) -> frozenset[str]:
        """Names that the statement knows; each CTE knows those before it, or all if it may be recursive."""
        all_names = known | {cte["CommonTableExpr"]["ctename"] for cte in clause["ctes"]}
        for cte in clause["ctes"]:
            rest.append(("CommonTableExpr", cte["CommonTableExpr"], all_names if clause.get("recursive") else known))
            known = known | {cte["CommonTableExpr"]["ctename"]}
        return all_names

    def _look_at_RangeVar(self, table: dict[str, Any], ctes: frozenset[str]) -> None:
        schema, name = table.get("schemaname", ""), table["relname"]
        if not schema and name in ctes:
            return
        reason = KNOWN.reason_to_refuse_schema(schema, self._own_schema) if schema else None
        if not schema and name.startswith("pg_"):
            reason = "tells about the server and about others"
        if reason:
            whole = f"{schema}.{name}" if schema else name
            raise self._refusal(whole, reason, table, "Only tables of your own data are allowed")

    def _look_at_FuncCall(self, call: dict[str, Any], _ctes: frozenset[str]) -> None:
        *schemas, name = self._names(call["funcname"])
        reason = KNOWN.reason_to_refuse_function(".".join(schemas), name)
        if reason:
            raise self._refusal(name, reason, call, "Only functions that compute are allowed")

    def _look_at_TypeName(self, type_name: dict[str, Any], _ctes: frozenset[str]) -> None:
        *schemas, name = self._names(type_name.get("names", [])) or [""]
        if not name or type_name.get("setof") or type_name.get("pctType") or KNOWN.is_refused_type(".".join(schemas), name):
            reason = "tells about the server, its roles or its tables"
            raise self._refusal(f"The type {name}", reason, type_name, "Types of data are allowed")

    def _look_at_RangeTableSample(self, sample: dict[str, Any], _ctes: frozenset[str]) -> None:
        *_, name = self._names(sample["method"])
        if not KNOWN.is_sampling_method(name):
            raise self._refusal(name, "is no method of sampling", sample, "SYSTEM and BERNOULLI are allowed")

    def _look_at_RangeFunction(self, table: dict[str, Any], _ctes: frozenset[str]) -> None:
        if "coldeflist" in table:
            return
        alias = table.get("alias", {})
        columns = set(self._names(alias.get("colnames", [])))
        for function in table["functions"]:
            item = function["List"]["items"][0]
            if alias:
                self._function_tables.setdefault(alias["aliasname"], []).append(columns)
            elif "FuncCall" in item:
                self._function_tables.setdefault(self._names(item["FuncCall"]["funcname"])[-1], []).append(columns)
            else:
                self._has_unnamed_functions = True

    def _look_at_ColumnRef(self, column: dict[str, Any], _ctes: frozenset[str]) -> None:
        fields = self._names(column["fields"])
        if len(fields) == 2 and KNOWN.may_be_refused_function(fields[1]):
            self._fields.append((fields[0], fields[1], column.get("location", -1)))

    def _look_at_A_Indirection(self, indirection: dict[str, Any], _ctes: frozenset[str]) -> None:
        """(x).f calls f(x), too, if x has no field of that name."""
        for name in self._names(indirection["indirection"]):
            if KNOWN.may_be_refused_function(name):
                reason = KNOWN.reason_to_refuse_function("", name) or "does more than compute"
                raise self._refusal(name, reason, indirection, "Only functions that compute are allowed")

    def _look_at_fields(self) -> None:
        """x.f calls f(x), too, if x is what a function gives: rows of a table have no such function."""
        for table, name, location in self._fields:
            declared = self._function_tables.get(table, [])
            if self._has_unnamed_functions or not all(name in columns for columns in declared):
                reason = KNOWN.reason_to_refuse_function("", name) or "does more than compute"
                raise self._refusal(name, reason, {"location": location}, "Only functions that compute are allowed")

    @staticmethod
    def _names(parts: list[dict[str, Any]]) -> list[str]:
        return [part["String"].get("sval", "") for part in parts if "String" in part]

    def _refusal(self, what: str, reason: str, part: dict[str, Any], allowed: str) -> SqlRefused:
        where = place_of(self._sql, part.get("location", -1))
        return SqlRefused(
            f"{shown(what)} is not allowed here: it {reason}{where}. {allowed}; ask your administrator if you need it."
        )

    def _refusal_of_part(self, kind: str, part: dict[str, Any]) -> SqlRefused:
        what = _WRITING.get(kind) or _CLAUSES.get(kind) or kind
        return SqlRefused(f"{what} is not allowed{place_of(self._sql, part.get('location', -1))}: {_ONLY_QUERIES}")
