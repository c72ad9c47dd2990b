"""Limits wrong passwords.

Counted in Valkey, for all processes together, by three keys. An account from one address: 5 in 5 minutes, which stops guessing a
password. One address: 50 in 10 minutes, so that a company behind one address can mistype. An account from all addresses: 50 in an
hour, which stops guessing from many addresses. The last one would let a stranger lock a person out, so it does not count for an
address from which the account has signed in during the last 30 days.
"""

import math
import time
from functools import cache

from flask import current_app, has_request_context, request
from limits import RateLimitItem, parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter

_PAIR = parse("5 per 5 minutes")
_ADDRESS = parse("50 per 10 minutes")
_ACCOUNT = parse("50 per hour")
_KNOWN = parse("1 per 30 days")
_REFRESH = parse("60 per minute")

_PREFIX = "sign-in"


def seconds_to_wait(username: str) -> int:
    """0 if the account may be tried from here now."""
    return max((_left(item, *key) for item, *key in _limits(username)), default=0)


def note(username: str, succeeded: bool) -> None:
    """Counts an attempt that was made."""
    if not has_request_context():
        return
    limiter, account = _limiter(), username.strip().lower()
    if succeeded:
        limiter.clear(_PAIR, _PREFIX, "pair", account, _address())
        limiter.hit(_KNOWN, _PREFIX, "known", account, _address())
    else:
        for item, *key in _limits(username):
            limiter.hit(item, *key)


def seconds_to_wait_for_refresh() -> int:
    """Counts one use of a refresh token, good or not; 0 if it may go on."""
    key = (_PREFIX, "refresh", _address())
    return 0 if _limiter().hit(_REFRESH, *key) else _left(_REFRESH, *key)


def _limits(username: str) -> list[tuple]:
    if not has_request_context():
        return []
    account = username.strip().lower()
    limits: list[tuple] = [(_PAIR, _PREFIX, "pair", account, _address()), (_ADDRESS, _PREFIX, "address", _address())]
    if _limiter().test(_KNOWN, _PREFIX, "known", account, _address()):
        limits.append((_ACCOUNT, _PREFIX, "account", account))
    return limits


def _left(item: RateLimitItem, *key: str) -> int:
    if _limiter().test(item, *key):
        return 0
    return max(1, math.ceil(_limiter().get_window_stats(item, *key).reset_time - time.time()))


def _address() -> str:
    return request.remote_addr or "unknown"


def _limiter() -> FixedWindowRateLimiter:
    return _limiter_of(current_app.config["RATELIMIT_STORAGE_URI"])


@cache
def _limiter_of(uri: str) -> FixedWindowRateLimiter:
    return FixedWindowRateLimiter(storage_from_string(uri))
