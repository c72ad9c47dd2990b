"""Requests at work in one process, by group: a tenant, the platform's administrators, callers who are not signed in.

A group that has all its requests at work may have a few more wait for one of them to end. Whatever is over that is refused at
once. All requests that are admitted, at work or waiting, are fewer than the threads of the process: one is always left for
`/health`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Seconds between two looks whether a request that waits is still wanted.
_TICK = 1


class Busy(Exception):
    """No room for another request of the group."""


@dataclass(frozen=True)
class Bounds:
    """Requests at once in one process."""

    #: At work, of all groups together, and of one: two take turns with the interpreter of the process, and a third would only be
    #: one more query that PostgreSQL computes beside those of other tenants.
    together: int = 16
    each: int = 2
    #: Waiting for their turn, of all groups together, and of one.
    waiting_together: int = 32
    waiting_each: int = 16
    #: Seconds that a request waits at most.
    patience: float = 30


@dataclass(eq=False)
class _Waiter:
    group: str
    turn: threading.Event = field(default_factory=threading.Event)


class Shares:
    """Counts requests; a thread blocks here for its turn only, never for the work of another."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._at_work: dict[str, int] = {}
        self._waiting: list[_Waiter] = []
        self._lock = threading.Lock()

    def enter(self, group: str, is_wanted: Callable[[], bool] = lambda: True) -> None:
        """Returns when the request may work, or raises Busy. A request that is no longer wanted stops waiting.

        Whoever entered must leave.
        """
        with self._lock:
            if self._has_room(group):
                self._count(group, 1)
                return
            mine = sum(waiter.group == group for waiter in self._waiting)
            if mine >= self.bounds.waiting_each or len(self._waiting) >= self.bounds.waiting_together:
                raise Busy(group)
            waiter = _Waiter(group)
            self._waiting.append(waiter)
        until = time.monotonic() + self.bounds.patience
        while (left := until - time.monotonic()) > 0 and is_wanted():
            if waiter.turn.wait(min(left, _TICK)):
                return
        with self._lock:
            if waiter.turn.is_set():
                return
            self._waiting.remove(waiter)
        raise Busy(group)

    def leave(self, group: str) -> None:
        with self._lock:
            self._count(group, -1)
            for waiter in list(self._waiting):
                if self._has_room(waiter.group):
                    self._waiting.remove(waiter)
                    self._count(waiter.group, 1)
                    waiter.turn.set()

    def at_work(self, group: str) -> int:
        with self._lock:
            return self._at_work.get(group, 0)

    def _has_room(self, group: str) -> bool:
        return self._at_work.get(group, 0) < self.bounds.each and sum(self._at_work.values()) < self.bounds.together

    def _count(self, group: str, change: int) -> None:
        count = self._at_work.get(group, 0) + change
        if count:
            self._at_work[group] = count
        else:
            self._at_work.pop(group, None)
