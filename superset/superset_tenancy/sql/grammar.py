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
