"""Texts by a small grammar: queries whose parts may be harmless or harmful, in the spellings that PostgreSQL knows."""

import random

_VALUES = ["1", "'a'", "E'\\''", "$$'$$", "U&'\\0061'", "NULL", "o.amount", "o.customer", "x'1F'", "1_000", "'--'", "'/*'"]
_FUNCTIONS = ["lower", "abs", "coalesce", "md5", "pg_catalog.upper", "to_char", "count", "max", "jsonb_build_object"]
_HARMFUL_FUNCTIONS = [
    *("set_config", "nextval", "pg_sleep", "pg_try_advisory_xact_lock", "query_to_xml", "format_type", "makeaclitem", "lo_get"),
    *(
        "pg_catalog.set_config",
        '"pg_sleep"',
        "PG_READ_FILE",
        'U&"pg\\005fsleep"',
        "current_setting",
        "to_regclass",
        "txid_current",
    ),
]
_TYPES = ["int", "text", "numeric(10, 2)", "date", "jsonb", "text[]", "bool"]
_HARMFUL_TYPES = ["regclass", "regrole", "pg_catalog.regtype", '"regproc"', "aclitem", "_regrole", "pg_roles"]
_TABLES = ["analytics.orders o", "(SELECT 1 AS amount, 'a' AS customer) o", "ONLY analytics.orders o", "pg_sales o"]
_HARMFUL_TABLES = ["pg_roles o", "information_schema.tables o", "pg_catalog.pg_class o", "tenancy.tenant o", "PG_STAT_ACTIVITY o"]
_COVERS = ["", "/* a */", "/* /* b */ ' */", "-- '\n", "\n", "\t", "\f"]
_WRITING = [
    "DELETE FROM analytics.orders",
    "UPDATE analytics.orders SET amount = 1",
    "INSERT INTO analytics.orders DEFAULT VALUES",
]


class Fuzzer:
    """The same texts for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def text(self) -> str:
        ending = ["; SET a.b = 'c'", "; COMMIT", " FOR UPDATE", " INTO TEMP z"] if self._rarely() else ["", ";", "; SELECT 1"]
        return (
            self._one(["EXPLAIN ANALYZE ", "TABLE analytics.orders; "] if self._rarely() else [""])
            + self._query(3)
            + self._one(ending)
        )

    def _query(self, depth: int) -> str:
        value, condition = self._expression(depth), self._expression(depth)
        select = f"SELECT{self._cover()}{value} AS n FROM {self._table(depth)} WHERE {condition} IS NULL"
        if depth > 1 and self._rarely():
            return f"({select}) UNION ALL ({self._query(depth - 1)})"
        if depth > 1 and self._rarely():
            body = self._one([self._query(depth - 1), self._one(_WRITING) + " RETURNING 1"])
            return f"WITH {self._one(['', 'RECURSIVE '])}pg_sales (amount) AS ({body}) {select}"
        return select

    def _table(self, depth: int) -> str:
        table = self._one(_HARMFUL_TABLES if self._rarely() else _TABLES)
        if depth > 1 and self._rarely():
            table += f", LATERAL unnest(ARRAY['1']) AS x, {self._one(['generate_series(1, 2)', 'pg_sales', 'pg_locks'])} AS y"
        return table

    def _expression(self, depth: int) -> str:
        if depth == 0:
            return self._one(_VALUES)
        inner = self._expression(depth - 1)
        harmful = self._rarely()
        function, kind = (
            self._one(_HARMFUL_FUNCTIONS if harmful else _FUNCTIONS),
            self._one(_HARMFUL_TYPES if harmful else _TYPES),
        )
        return self._one(
            [
                f"{function}{self._cover()}({inner})",
                f"({inner})::{kind}",
                f"CAST({inner} AS {kind})",
                f"(({inner})::text).{function.split('.')[-1]}",
                f"CASE WHEN {inner} IS NULL THEN {self._expression(depth - 1)} END",
                f"(SELECT {inner} LIMIT 1)",
                f"{inner}{self._cover()}||{self._cover()}{self._expression(depth - 1)}",
                inner,
            ]
        )

    def _cover(self) -> str:
        return " " + self._one(_COVERS) + " "

    def _rarely(self) -> bool:
        return self._random.random() < 0.07

    def _one(self, choices: list[str]) -> str:
        return self._random.choice(choices)
