"""What the results of each tenant take in this process, from the first byte read to the end of the request."""

import threading
from collections import defaultdict
from contextvars import ContextVar

from superset_tenancy.admission.client import Client
from superset_tenancy.results.limits import OF_TENANT, Size, too_much_at_once

_held: dict[str, Size] = defaultdict(Size)
_lock = threading.Lock()


class Holder:
    """A request, or another piece of work, for a tenant."""

    def __init__(self, tenant: str, until: float = float("inf"), client: Client | None = None) -> None:
        self.tenant = tenant
        #: Who waits for the answer.
        self.client = client or Client({})
        #: When its queries end, on the monotonic clock.
        self.until = until
        self.size = Size()

    def take(self, size: Size) -> None:
        """Raises ResultTooLarge if the tenant would hold too much."""
        with _lock:
            held = _held[self.tenant] + size
            if held.bytes > OF_TENANT.bytes or held.cells > OF_TENANT.cells:
                raise too_much_at_once()
            _held[self.tenant] = held
            self.size += size

    def give_back(self, size: Size) -> None:
        with _lock:
            _held[self.tenant] -= size
            if _held[self.tenant] == Size():
                del _held[self.tenant]
            self.size -= size

    def release(self) -> None:
        self.give_back(self.size)


#: Of the request that this thread serves.
holder: ContextVar[Holder | None] = ContextVar("holder", default=None)
