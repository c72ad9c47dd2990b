"""Passwords and keys that a user types into SQL do not reach the logs.

That is the output of the processes, and Superset's log of actions in its metadata.
"""

import logging
import re
from typing import Any

_STRING = r"[eEnN]?'(?:[^']|'')*'?"
_DOLLAR = r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$"
_WORDS = r"(?:password|passwd|pwd|secret|token|api_?key|access_?key|private_?key|credential)"
_NAMED = re.compile(
    rf"""(\w*{_WORDS}\w*["']?\s*(?:=>|:=|=|:|,|\bis\b|\bto\b)?\s*)(?:{_STRING}|{_DOLLAR})""", re.IGNORECASE | re.DOTALL
)
#: Functions that take a key or a password: none of what is typed in their parentheses is shown.
_KEYED = re.compile(r"\b((?:pgp_\w+|encrypt(?:_iv)?|decrypt(?:_iv)?|hmac|crypt|dblink\w*)\s*\()([^()]*)", re.IGNORECASE)
_ANY_LITERAL = re.compile(rf"{_STRING}|{_DOLLAR}", re.DOTALL)
_ACCESS_KEY = re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b")
_OF_URL = re.compile(r"(://[^:/@\s]+:)[^@\s/]+(@)")
_MASK = "'***'"


def mask_secrets(text: str) -> str:
    """The text with literals of passwords and keys replaced."""
    if "'" in text or "$" in text:
        text = _NAMED.sub(lambda found: found[1] + _MASK, text)
        text = _KEYED.sub(lambda found: found[1] + _ANY_LITERAL.sub(_MASK, found[2]), text)
    return _OF_URL.sub(r"\1***\2", _ACCESS_KEY.sub("***", text))


def masked(value: Any) -> Any:
    """What a line of a log holds, with all texts in it masked."""
    if isinstance(value, str):
        return mask_secrets(value)
    if isinstance(value, dict):
        return {key: masked(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(part) for part in value]
    return value


class MaskedRecord(logging.LogRecord):
    """A line of a log, with its trace, whichever logger writes it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.exc_info and self.exc_info[0] is not None:
            self.exc_text = mask_secrets(logging.Formatter().formatException(self.exc_info))

    def getMessage(self) -> str:
        return mask_secrets(super().getMessage())


def mask_logs() -> None:
    """All that is logged from now on."""
    logging.setLogRecordFactory(MaskedRecord)
