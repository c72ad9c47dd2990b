"""How sessions are kept in Valkey."""

from typing import Any

import msgspec
from flask import Flask
from flask_babel.speaklater import LazyString

#: What Flask-Session puts into each session, so also into that of somebody who only asks /health.
_NOTHING = {"_permanent"}


def keep_sessions(app: Flask) -> None:
    """Stores messages that are translated late, and stores nothing for requests that put nothing into their session."""
    interface = app.session_interface
    interface.serializer.encoder = msgspec.msgpack.Encoder(enc_hook=_as_text)
    should_set_storage = interface.should_set_storage
    interface.should_set_storage = lambda app, session: bool(session.keys() - _NOTHING) and should_set_storage(app, session)
    should_set_cookie = interface.should_set_cookie
    interface.should_set_cookie = lambda app, session: bool(session.keys() - _NOTHING) and should_set_cookie(app, session)


def _as_text(value: Any) -> str:
    if isinstance(value, LazyString):
        return str(value)
    raise NotImplementedError(f"a session cannot hold a {type(value).__name__}")
