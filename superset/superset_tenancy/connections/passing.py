"""What PostgreSQL, PgBouncer and RDS Proxy say when it makes sense to ask again, and what a user is told if it did not help."""

import psycopg2

_REFUSED = "The database does not accept your organisation's login at the moment. If it stays so, tell your administrator."
_BUSY = "All connections that your organisation has to its database are in use. Try again in a moment."
_AWAY = "The database cannot be reached at the moment. Try again in a moment."

#: What we say ourselves, in place of a proxy.
NO_SESSION = "no session was free"

#: Fragments of messages. A password may be that of yesterday here, or in the proxy, which has a copy of the secret.
PASSING = {
    "password authentication failed": _REFUSED,
    "SASL authentication failed": _REFUSED,
    "PAM authentication failed": _REFUSED,
    "IAM authentication failed for the role": _REFUSED,
    "The password that was provided for the role": _REFUSED,
    "has no credentials for the role": _REFUSED,
    "no such user": _REFUSED,
    "server login failed": _REFUSED,
    NO_SESSION: _BUSY,
    "too many connections for role": _BUSY,
    "sorry, too many clients already": _BUSY,
    "remaining connection slots": _BUSY,
    "query_wait_timeout": _BUSY,
    "no more connections allowed": _BUSY,
    "Timed-out waiting to acquire database connection": _BUSY,
    "client connections to the proxy exceeded": _BUSY,
    "Rate of connections to proxy exceeded": _BUSY,
    "too many competing requests": _BUSY,
    "the database system is": _AWAY,
    "Connection refused": _AWAY,
    "Connection reset by peer": _AWAY,
    "Broken pipe": _AWAY,
    "closed the connection unexpectedly": _AWAY,
    "connection has been closed unexpectedly": _AWAY,
    "terminating connection due to administrator command": _AWAY,
    "server login has been failing": _AWAY,
    "server conn crashed": _AWAY,
    "pgbouncer cannot connect to server": _AWAY,
    "Target unavailable due to an internal error": _AWAY,
    "timeout expired": _AWAY,
    "could not translate host name": _AWAY,
    "SSL SYSCALL error": _AWAY,
    "could not receive data from server": _AWAY,
}


def passes(error: Exception) -> bool:
    """Whether it may be over in a moment."""
    return _fragment(error) is not None


def is_refused_login(error: Exception) -> bool:
    """Whether a newer password would help."""
    return PASSING.get(_fragment(error) or "") is _REFUSED


def is_busy(error: Exception) -> bool:
    """Whether all connections are in use: asking for another one at once would only wait again."""
    return PASSING.get(_fragment(error) or "") is _BUSY


def in_words(error: psycopg2.OperationalError, happened: str = "") -> psycopg2.OperationalError:
    """The error for the user. Only the fragment is quoted: Superset would put words of its own in place of the whole message."""
    fragment = _fragment(error)
    if fragment is None:
        return error
    return psycopg2.OperationalError(f"{happened}{PASSING[fragment]} ({fragment})")


def _fragment(error: Exception) -> str | None:
    text = str(error)
    return next((fragment for fragment in PASSING if fragment in text), None)
