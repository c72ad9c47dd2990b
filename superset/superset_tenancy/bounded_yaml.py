"""YAML that somebody uploads, within bounds and in words that help.

What Superset exports is plain: mappings, lists, texts, numbers. Aliases let 400 bytes stand for millions of values, and tags name
types; both are refused, as are files that are too large, too deep, or not YAML.
"""

from typing import Any

import yaml
from superset.commands.exceptions import CommandInvalidError

#: Characters of one file, its values, and how deep they are nested.
LONGEST = 2 * 1024 * 1024
MOST = 200_000
DEEPEST = 50

_STANDARD = "tag:yaml.org,2002:"
_TYPES = frozenset(_STANDARD + kind for kind in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp", "binary"))
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class YamlRefused(CommandInvalidError):
    """Status 422, with the reason in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"A YAML file cannot be read: {reason}")


def load(stream: Any) -> Any:
    """`yaml.safe_load`, within bounds."""
    text = stream.read(LONGEST + 1) if hasattr(stream, "read") else stream
    if len(text) > LONGEST:
        raise YamlRefused(f"it is longer than {LONGEST:,} characters.")
    try:
        _check(text)
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a loader of plain values
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise YamlRefused(f"{reason}" + (f" (line {where.line + 1})." if where else ".")) from error


def _check(text: Any) -> None:
    depth = values = 0
    for event in yaml.parse(text, Loader=_Loader):
        line = f" (line {event.start_mark.line + 1})" if event.start_mark else ""
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise YamlRefused(f"anchors and aliases (&name, *name) are not allowed; write the value out{line}.")
        tag = getattr(event, "tag", None)
        if tag and tag != "!" and tag not in _TYPES:
            raise YamlRefused(f"the tag {tag[:100]} is not allowed; leave it out{line}.")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.ScalarEvent):
            values += 1
        if depth > DEEPEST:
            raise YamlRefused(f"it is nested deeper than {DEEPEST} levels{line}.")
        if values > MOST:
            raise YamlRefused(f"it has more than {MOST:,} values.")
