"""What SQL a tenant's user may run: the second wall, in front of PostgreSQL's roles and policies.

Each statement must be a query that only reads, and calls no function that does more than compute. What is not understood is
refused. The text is first split into tokens by PostgreSQL's own rules, where sqlglot's differ (dollar quotes, escapes, operators
that run into comments, letters beyond ASCII). In PostgreSQL's grammar a statement is a query if its first word says so, and what
a query may do besides reading takes one of a few words, or a function; these are looked for among the tokens, wherever they
stand. Then sqlglot must agree, and tell which relations are read: it gets the tokens written so that it cannot misread them.

No wall to rely on alone: a function that an operator adds to the database is not known here.
"""

import re
from collections.abc import Iterator
from fnmatch import translate
from itertools import takewhile
from typing import NamedTuple

from sqlglot import exp
from sqlglot.dialects import Postgres


class SqlRefused(Exception):
    """Why the SQL may not run, for whoever typed it."""


#: Characters. Superset's longest queries, which filter by thousands of values, stay below.
MAX_LENGTH = 100_000
#: How often sqlglot may look at a token; usual queries need less than 2.
MAX_LOOKS = 50

_ONLY_QUERIES = "only queries run here (SELECT, WITH or VALUES). Ask your administrator if you need it."

#: Functions by what they do; a star stands for anything. What PostgreSQL 17 calls volatile and lets anybody call is here or
#: harmless (the tests ask the server), and so is what runs a text or tells about the server.
_REFUSED = {
    "changes the session, which serves other queries as well": "set_config setseed set_limit",
    "runs SQL or reads tables that it gets as a text": (
        "query_to_xml* cursor_to_xml* table_to_xml* schema_to_xml* database_to_xml* ts_stat ts_rewrite crosstab* connectby "
        "xpath_table xslt_process currtid currtid2"
    ),
    "reaches beyond this database": "dblink* postgres_fdw_* query_export_to_s3 table_import_from_s3",
    "takes numbers from a sequence": "nextval setval currval lastval",
    "works on large objects or files": (
        "lo_close lo_creat lo_create lo_export lo_from_bytea lo_get lo_import lo_lseek lo_lseek64 lo_manage lo_oid lo_open "
        "lo_put lo_tell lo_tell64 lo_truncate lo_truncate64 lo_unlink loread lowrite get_raw_page"
    ),
    "works on the server, its locks, transactions or other sessions": (
        "pg_* txid_* autoprewarm_* binary_upgrade_* brin_desummarize_range brin_summarize_* gin_clean_pending_list pgrowlocks "
        "pgstat* plpgsql_* amvalidate"
    ),
    "tells about the server, its roles or its tables": (
        "current_setting inet_server_addr inet_server_port inet_client_addr inet_client_port has_*_privilege "
        "row_security_active aclexplode obj_description col_description shobj_description "
        "to_regclass to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole"
    ),
}
_REFUSED_FUNCTIONS = {reason: re.compile("|".join(map(translate, patterns.split()))) for reason, patterns in _REFUSED.items()}
_HARMLESS_FUNCTIONS = {
    *("pg_typeof", "pg_column_size", "pg_size_bytes", "pg_size_pretty", "pg_collation_for"),
    *("pg_input_is_valid", "pg_input_error_info"),
}
#: Types whose values are names of roles, schemas and tables, found by number: other tenants' too.
_REFUSED_TYPES = ("regclass", "regrole", "regnamespace", "regproc", "regprocedure", "regoper", "regoperator")

_FIRST_WORDS = ("select", "with", "values")
#: A statement that writes stands at the beginning, in parentheses (of WITH), or after them.
_WRITING_WORDS = ("insert", "update", "delete", "merge")
_LOCKING_WORDS = ("update", "no", "share", "key")
_EXPLAIN_OPTIONS = (
    *("verbose", "costs", "settings", "buffers", "memory", "summary"),
    *("format", "text", "json", "yaml", "xml", "on", "off", "true", "false"),
)


def check(sql: str, *, explain_allowed: bool = False) -> None:
    """Raises SqlRefused unless every statement of the text is a query that only reads.

    With `explain_allowed`, EXPLAIN without ANALYZE and SHOW are let through, too: they tell about the server, and EXPLAIN about
    how many rows others have (ANALYZE would tell exactly).
    """
    if len(sql) > MAX_LENGTH:
        raise SqlRefused(f"This SQL has {len(sql):,} characters; up to {MAX_LENGTH:,} are allowed. Please shorten it.")
    if "\0" in sql:
        raise SqlRefused("This SQL has a NUL character, where the driver would end it. Please remove it.")
    statements = [statement for statement in _statements(sql) if statement]
    if not statements:
        raise SqlRefused("There is no SQL to run.")
    for statement in statements:
        _check_statement(statement, explain_allowed)


class _Token(NamedTuple):
    #: "word", "name" (in double quotes), "string", "number", "operator" or "sign"
    kind: str
    #: Words in lower case, names without their quotes.
    text: str

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.text in words

    def is_name(self) -> bool:
        return self.kind in ("word", "name")


_OPEN, _CLOSE, _DOT, _END = (_Token("sign", text) for text in "().;")

# As PostgreSQL's src/backend/parser/scan.l has it, with standard_conforming_strings, which nothing that is let through changes.
# What does not match is refused.
_LEXER = re.compile(
    r"""
      (?P<space>   [ \t\n\r\f]+ | --[^\n\r]* )
    | (?P<comment> /\* )
    | (?P<escaped> [uU]&['"] )
    | (?P<string>  [eE]'(?:[^'\\]|\\.|'')*+' | [bBxX]'[^']*+' | [nN]?'(?:[^']|'')*+' )
    | (?P<dollar>  \$(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+)?\$ )
    | (?P<name>    "(?:[^"]|"")++" )
    | (?P<word>    [A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*+ )
    | (?P<number>  (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.\x80-\U0010ffff]) )
    | (?P<sign>    :: | := | [,()\[\].;:] )
    | (?P<operator>(?:(?!--|/\*)[~!@\#^&|`?+\-*/%<>=])+ )
    """,
    re.VERBOSE | re.DOTALL,
)
_ASCII_CAPITALS = re.compile("[A-Z]+")
_PLAIN_WORD = re.compile("[a-z0-9_]+")
_KNOWN_OPERATORS = ("*", "=", "=>")
_COMMENT_ENDS = re.compile(r"/\*|\*/")


def _statements(sql: str) -> Iterator[list[_Token]]:
    statement: list[_Token] = []
    for token in _tokens(sql):
        if token == _END:
            yield statement
            statement = []
        else:
            statement.append(token)
    yield statement


def _tokens(sql: str) -> Iterator[_Token]:
    position, previous = 0, ""
    while position < len(sql):
        match = _LEXER.match(sql, position)
        if match is None:
            raise SqlRefused(f"This SQL could not be understood at {_shown(sql[position:])}. Please check what stands there.")
        kind, text, position = str(match.lastgroup), match.group(), match.end()
        if kind == "space":
            continue
        if kind == "comment":
            position = _end_of_comment(sql, position)
            continue
        if kind == "escaped":
            raise SqlRefused(f"{text} is not allowed here. Write the characters themselves, without Unicode escapes.")
        if kind == "dollar":
            kind, position = "string", _end_of_dollar_quoted(sql, text, position)
        if kind == "operator":
            text = _operator(text)
            position = match.start() + len(text)
        if kind == "name":
            text = text[1:-1].replace('""', '"')
        if kind == "word":
            text = _ASCII_CAPITALS.sub(lambda capitals: capitals.group().lower(), text)
        if kind == previous == "string":
            # PostgreSQL reads the second by the rules of the first.
            raise SqlRefused("Two strings that follow each other are not allowed here. Write one, or join them with ||.")
        previous = kind
        yield _Token(kind, text)


def _end_of_comment(sql: str, position: int) -> int:
    depth = 1
    while depth:
        match = _COMMENT_ENDS.search(sql, position)
        if match is None:
            raise SqlRefused("A comment does not end. Close it with */.")
        depth += 1 if match.group() == "/*" else -1
        position = match.end()
    return position


def _end_of_dollar_quoted(sql: str, quote: str, position: int) -> int:
    end = sql.find(quote, position)
    if end < 0:
        raise SqlRefused(f"A string does not end. Close it with {_shown(quote)}.")
    return end + len(quote)


def _operator(text: str) -> str:
    """An operator ends in + or - only if it has a character that no operator of the SQL standard has."""
    while len(text) > 1 and text[-1] in "+-" and not set(text) & set("~!@#^&|`?%"):
        text = text[:-1]
    return text


def _check_statement(tokens: list[_Token], explain_allowed: bool) -> None:
    if explain_allowed and tokens[0].is_word("explain"):
        tokens = _explained(tokens)
    elif explain_allowed and tokens[0].is_word("show"):
        return _check_show(tokens)
    first = next((token for token in tokens if token != _OPEN), _END)
    if not first.is_word(*_FIRST_WORDS):
        what = first.text.upper() if first.kind == "word" else "This statement"
        raise SqlRefused(f"{_shown(what)} is not allowed: {_ONLY_QUERIES}")
    _check_words(tokens)
    _check_calls(tokens)
    _check_with_sqlglot(tokens)


def _explained(tokens: list[_Token]) -> list[_Token]:
    """The statement that EXPLAIN is asked about."""
    rest = tokens[1:]
    opening, following, *_ = [*rest, _END, _END]
    if opening == _OPEN and following != _OPEN and not following.is_word(*_FIRST_WORDS):
        end = rest.index(_CLOSE) if _CLOSE in rest else len(rest)
        options, rest = rest[1:end], rest[end + 1 :]
    else:
        options = list(takewhile(lambda token: token.is_word("verbose", "analyze", "analyse"), rest))
        rest = rest[len(options) :]
    for option in options:
        if not option.is_word(*_EXPLAIN_OPTIONS) and option.text != ",":
            raise SqlRefused(f"EXPLAIN with {_shown(option.text.upper())} is not allowed: only a query's plan can be shown.")
    return rest


def _check_show(tokens: list[_Token]) -> None:
    if not all(token.is_name() or token == _DOT for token in tokens):
        raise SqlRefused("This SHOW could not be understood. Write SHOW and the name of a setting.")


def _check_words(tokens: list[_Token]) -> None:
    """Refuses what a query may do besides reading. Who has a column of such a name writes it in double quotes."""
    for previous, token, following in _neighbours(tokens):
        if token.is_word("into"):
            raise SqlRefused(f"INTO is not allowed: {_ONLY_QUERIES}")
        if token.is_word("table"):
            raise SqlRefused("TABLE is not allowed here. Write SELECT * FROM and the name of the table.")
        if previous.is_word("for") and token.is_word(*_LOCKING_WORDS):
            raise SqlRefused(f"FOR {token.text.upper()} locks rows and is not allowed: {_ONLY_QUERIES}")
        if previous in (_OPEN, _CLOSE) and token.is_word(*_WRITING_WORDS):
            raise SqlRefused(f"{token.text.upper()} is not allowed: {_ONLY_QUERIES}")
        # What writes may come after these as well.
        if (previous == _CLOSE and token.is_word("cycle")) or (token.is_word("search") and following.is_word("depth", "breadth")):
            raise SqlRefused(f"{token.text.upper()} is not allowed here. Collect the path in an array instead.")
        if token.is_name() and token.text in _REFUSED_TYPES:
            raise SqlRefused(f"The type {token.text} is not allowed here: its values tell about others.")


def _check_calls(tokens: list[_Token]) -> None:
    for previous, token, following in _neighbours(tokens):
        # (x).f and x.f call f(x), too, if x has no field of that name.
        if token.is_name() and (following == _OPEN or previous == _DOT):
            reason = _reason_to_refuse(token.text)
            if reason:
                raise SqlRefused(f"{_shown(token.text)} is not allowed here: it {reason}. Ask your administrator if you need it.")


def _neighbours(tokens: list[_Token]) -> Iterator[tuple[_Token, _Token, _Token]]:
    return zip([_END, *tokens], tokens, [*tokens[1:], _END], strict=False)


def _reason_to_refuse(function: str) -> str | None:
    if function in _HARMLESS_FUNCTIONS:
        return None
    return next((reason for reason, names in _REFUSED_FUNCTIONS.items() if names.match(function)), None)


class _Parser(Postgres.Parser):
    """For some nestings sqlglot takes twice as long with each level, so its looks are counted."""

    looks = 0

    def _advance(self, times: int = 1) -> None:
        self.looks += 1
        if self.looks > MAX_LOOKS * len(self._tokens):
            raise SqlRefused("This SQL is nested too deeply. Please simplify it.")
        super()._advance(times)


def _check_with_sqlglot(tokens: list[_Token]) -> None:
    try:
        (statement,) = _Parser(dialect=Postgres).parse(Postgres().tokenize(" ".join(map(_plain, tokens))))
        nodes = list(statement.walk()) if isinstance(statement, (exp.Query, exp.Values)) else []
    except SqlRefused:
        raise
    except Exception as error:  # sqlglot stumbles over some texts with errors of Python's.
        raise SqlRefused("This SQL could not be understood, so it does not run. Please check or simplify it.") from error
    if not nodes:
        raise SqlRefused(f"This statement is not allowed: {_ONLY_QUERIES}")
    for node in nodes:
        if isinstance(node, (exp.DML, exp.DDL, exp.Command, exp.Into, exp.Lock)):
            raise SqlRefused(f"{node.key.upper()} is not allowed: {_ONLY_QUERIES}")
        if isinstance(node, exp.Table) and (node.name.startswith("pg_") or _is_catalog(node.db)):
            raise SqlRefused(f"{_shown(node.name)} is not allowed here: it tells about the server and about others.")


def _is_catalog(schema: str) -> bool:
    return schema == "information_schema" or schema.startswith("pg_")


def _plain(token: _Token) -> str:
    """A token as sqlglot reads it, too. What a string says does not matter, nor which operator it is."""
    kind, text = token
    if kind == "string":
        return "'x'"
    if kind == "name" or (kind == "word" and not _PLAIN_WORD.fullmatch(text)):
        return '"' + re.sub(r"\W", "_", text) + '"'
    if kind == "operator" and text not in _KNOWN_OPERATORS:
        return "-"
    return text


def _shown(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"
