"""Bounds sqlglot in the whole process: for some nestings its parser takes twice as long with each level.

Each parser counts how often it looks at its tokens. Usual queries need less than two looks for a token.
"""

from typing import Any

from sqlglot.parser import Parser

from superset_tenancy.refusals.refusal import TenancyRefusal

_LOOKS_PER_TOKEN = 50
_BOUND = "_looks_are_bounded"


def bound_sqlglot() -> None:
    """Raises TenancyRefusal from any parser, of any dialect, that looks too often."""
    advance = Parser._advance
    if getattr(advance, _BOUND, False):
        return

    def bounded(self: Any, times: int = 1) -> None:
        # It starts anew with each statement.
        looks = self.looks_of_statement = 0 if self._index < 0 else self.looks_of_statement + 1
        if looks > _LOOKS_PER_TOKEN * (len(self._tokens) + 20):
            raise TenancyRefusal("This SQL is nested too deeply. Please simplify it.")
        advance(self, times)

    setattr(bounded, _BOUND, True)
    Parser._advance = bounded
