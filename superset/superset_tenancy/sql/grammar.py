"""The parts of PostgreSQL's parse trees that a query may be made of: what is not listed is refused.

Which part may hold which is read from the parser's own description of its trees.
"""

from collections.abc import Iterator
from typing import Any

from postgast.pg_query_pb2 import DESCRIPTOR

ALLOWED = frozenset(
    """
    SelectStmt ResTarget WithClause CommonTableExpr CTESearchClause CTECycleClause SortBy WindowDef GroupingSet
    RangeVar RangeSubselect RangeFunction RangeTableFunc RangeTableFuncCol RangeTableSample JoinExpr Alias ColumnDef
    ColumnRef A_Star A_Const Integer Float Boolean String BitString List
    A_Expr BoolExpr NullTest BooleanTest CaseExpr CaseWhen CoalesceExpr MinMaxExpr SubLink RowExpr A_ArrayExpr A_Indirection
    A_Indices TypeCast TypeName CollateClause FuncCall NamedArgExpr SQLValueFunction GroupingFunc XmlExpr XmlSerialize
    JsonFormat JsonReturning JsonOutput JsonValueExpr JsonFuncExpr JsonTable JsonTableColumn JsonTablePathSpec JsonBehavior
    JsonArgument JsonKeyValue JsonObjectConstructor JsonArrayConstructor JsonArrayQueryConstructor JsonAggConstructor
    JsonObjectAgg JsonArrayAgg JsonIsPredicate JsonParseExpr JsonScalarExpr JsonSerializeExpr
    """.split()
)

#: Type of what each field holds, by type and field; None for a number or a string.
FIELDS = {
    message.name: {field.json_name: field.message_type.name if field.message_type else None for field in message.fields}
    for message in DESCRIPTOR.message_types_by_name.values()
}


def parts_of(kind: str, tree: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The parts that a part holds, each with its type; a field that the parser does not describe has the type "unknown"."""
    fields = FIELDS[kind]
    for name, value in tree.items():
        field = fields.get(name, "unknown")
        if field is None:
            continue
        for part in value if isinstance(value, list) else (value,):
            if field == "Node":
                yield from part.items()
            else:
                yield field, part


def walk(tree: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], frozenset[str]]]:
    """All parts of a query with their types, each with the names of CTEs that it may read from.

    A part of a type that is not listed is given, but not gone into.
    """
    rest: list[tuple[str, dict[str, Any], frozenset[str]]] = [("SelectStmt", tree, frozenset())]
    while rest:
        kind, part, ctes = rest.pop()
        if kind == "SelectStmt" and "withClause" in part:
            ctes = _add_ctes(part["withClause"], ctes, rest)
            part = {name: value for name, value in part.items() if name != "withClause"}
        yield kind, part, ctes
        if kind in ALLOWED and kind != "A_Const":
            rest += ((inner_kind, inner, ctes) for inner_kind, inner in parts_of(kind, part))


def _add_ctes(clause: dict[str, Any], known: frozenset[str], rest: list) -> frozenset[str]:
    """Names that the statement knows; each CTE knows those before it, or all if it may be recursive."""
    all_names = known | {cte["CommonTableExpr"]["ctename"] for cte in clause["ctes"]}
    for cte in clause["ctes"]:
        rest.append(("CommonTableExpr", cte["CommonTableExpr"], all_names if clause.get("recursive") else known))
        known = known | {cte["CommonTableExpr"]["ctename"]}
    return all_names
