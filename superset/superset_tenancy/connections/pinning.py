"""Whether a statement makes RDS Proxy pin the session, so that the server's connection is lost to others until the client leaves.

It decides by the text, and on the safe side: what is not plainly a query counts as pinning, and so does a query with a word that
changes a session anywhere in it, even in a string. A wrong yes costs a reconnect.
"""

import re

#: Bytes of a statement above which RDS Proxy pins: 16 KB (RDS User Guide, "Avoiding pinning an RDS Proxy").
LONGEST = 16 * 1024

_BLANK = rb"(?:[\s()]|--[^\r\n]*+|(?>/\*.*?\*/))*+"
_NOTHING = re.compile(_BLANK, re.DOTALL)
_FIRST_WORD = re.compile(_BLANK + rb"([A-Za-z]+)", re.DOTALL)
_QUERIES = (b"select", b"with", b"values", b"table", b"show", b"explain")

#: What a query, or what EXPLAIN explains, may do to the session. A name in Unicode escapes could be any of them.
_CHANGES_SESSION = re.compile(
    rb"""
      \b (?: into | temp | temporary | pg_temp\w* | create | declare | execute | prepare
           | set_config | setseed | set_limit | nextval | setval | currval | lastval
           | dblink_\w+ | lo_\w+ | pg_(?:try_)?advisory\w* ) \b
      | \b u& ["']
    """,
    re.VERBOSE | re.IGNORECASE,
)


def pins(statement: bytes) -> bool:
    """Whether the session could be pinned, or changed, by the statement or by one of several in it."""
    if len(statement) >= LONGEST or _CHANGES_SESSION.search(statement):
        return True
    # A semicolon in a string or a comment only makes for one piece more that must look like a query.
    return not all(_is_query(piece) for piece in statement.split(b";"))


def _is_query(piece: bytes) -> bool:
    first = _FIRST_WORD.match(piece)
    return first[1].lower() in _QUERIES if first else _NOTHING.fullmatch(piece) is not None
