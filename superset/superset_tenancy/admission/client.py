"""The client's end of a request: whether somebody still waits for the answer."""

import select
from typing import Any

#: The other end is closed, or will send no more; also when bytes of a next request wait to be read.
CLOSED = select.POLLRDHUP


class Client:
    """The connection that a request came by, as gunicorn's threads have it. Without one, a client is there for ever."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._socket = environ.get("gunicorn.socket")

    def fileno(self) -> int:
        """Of the connection, or -1."""
        return -1 if self._socket is None else self._socket.fileno()

    def has_left(self) -> bool:
        if (descriptor := self.fileno()) < 0:
            return False
        poller = select.poll()
        poller.register(descriptor, CLOSED)
        return bool(poller.poll(0))
