"""Says how far a large table is."""

import time
from collections.abc import Callable
from typing import Any

#: Seconds between two lines.
_EVERY = 30


class Progress:
    """Counts what goes through a file."""

    def __init__(self, what: str, say: Callable[[str], None]) -> None:
        self._what = what
        self._say = say
        self._bytes = 0
        self._said_at = time.monotonic()
        self._file: Any = None

    def around(self, file: Any) -> "Progress":
        self._file = file
        return self

    def write(self, content: bytes) -> int:
        self._count(content)
        return self._file.write(content)

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._count(content)
        return content

    def _count(self, content: bytes) -> None:
        self._bytes += len(content)
        now = time.monotonic()
        if now - self._said_at >= _EVERY:
            self._said_at = now
            self._say(f"{self._what}, {self._bytes:,} bytes so far")
