"""Somebody who listens in between Superset and a proxy: all that a client of PostgreSQL says is written down."""

import os
import select
import socket
import ssl
import struct
import threading
from contextlib import contextmanager

_TLS_WANTED = struct.pack("!ii", 8, 80877103)


class Listener:
    """A server of TLS on a port of its own, in front of another one."""

    def __init__(self, host: str, port: int, certificate: str) -> None:
        self.behind = (host, port)
        self.certificate = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.certificate.load_cert_chain(certificate)
        self.trusted = ssl.create_default_context(cafile=os.environ["PGSSLROOTCERT"])
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        #: What clients ask for at the start, and each of their statements.
        self.startups: list[dict[str, str]] = []
        self.statements: list[str] = []
        #: Kinds of messages other than statements, passwords and the end.
        self.others: set[bytes] = set()

    @contextmanager
    def listening(self):
        thread = threading.Thread(target=self._accept, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.server.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            assert _read(plain, 8) == _TLS_WANTED
            plain.sendall(b"S")
            client = self.certificate.wrap_socket(plain, server_side=True)
            behind = socket.create_connection(self.behind)
            behind.sendall(_TLS_WANTED)
            assert behind.recv(1) == b"S"
            server = self.trusted.wrap_socket(behind, server_hostname="localhost")
        except (OSError, EOFError, AssertionError):
            # A request to cancel comes without TLS.
            plain.close()
            return
        try:
            self._listen(client, server)
        except OSError:
            pass
        finally:
            client.close()
            server.close()

    def _listen(self, client: ssl.SSLSocket, server: ssl.SSLSocket) -> None:
        said, started = b"", False
        while True:
            ready = [end for end in (client, server) if end.pending()] or select.select([client, server], [], [])[0]
            for end in ready:
                data = end.recv(65536)
                if not data:
                    return
                (server if end is client else client).sendall(data)
                if end is client:
                    said, started = self._write_down(said + data, started)

    def _write_down(self, said: bytes, started: bool) -> tuple[bytes, bool]:
        """Takes whole messages off; the first of a connection has no kind."""
        while True:
            kind, rest = (said[:1], said[1:]) if started else (b"", said)
            length = struct.unpack("!i", rest[:4])[0] if len(rest) >= 4 else len(rest) + 1
            if len(rest) < length:
                return said, started
            body, said = rest[4:length], rest[length:]
            if not started:
                words = body[4:].decode().split("\0")
                self.startups.append(dict(zip(words[::2], words[1::2], strict=False)))
            elif kind == b"Q":
                self.statements.append(body.rstrip(b"\0").decode())
            elif kind not in (b"p", b"X"):
                self.others.add(kind)
            started = True


def _read(end: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        more = end.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return data
