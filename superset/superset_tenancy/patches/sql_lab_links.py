"""A link to a tab of SQL Lab that is not there is answered 404. Superset 6.1.0 answers 500.

Links of before version 2, which begin with `kv:`, are not looked up: their table says nothing of whose they are.
"""

from functools import wraps
from typing import Any

from superset.commands.sql_lab.permalink.get import GetSqlLabPermalinkCommand
from superset.sqllab.permalink.exceptions import SqlLabPermalinkGetFailedError

_PATCHED = "_answers_404"


def apply() -> None:
    original = GetSqlLabPermalinkCommand.run
    if getattr(original, _PATCHED, False):
        return

    @wraps(original)
    def run(self: GetSqlLabPermalinkCommand) -> Any:
        if self.key.startswith("kv:"):
            return None
        try:
            return original(self)
        except SqlLabPermalinkGetFailedError:
            return None

    setattr(run, _PATCHED, True)
    GetSqlLabPermalinkCommand.run = run
