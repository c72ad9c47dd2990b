"""Puts a function in the place of one of Superset's, in each module that imported it by name."""

import sys
from collections.abc import Callable


def rebind(original: Callable, replacement: Callable) -> None:
    """Modules that are loaded later import the replacement from where the original was defined."""
    if original is replacement or getattr(original, "__module__", "") == replacement.__module__:
        return
    for name, module in list(sys.modules.items()):
        if name.split(".")[0] == "superset" and vars(module).get(original.__name__) is original:
            setattr(module, original.__name__, replacement)
