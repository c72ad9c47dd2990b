"""Asynchronous queries of one tenant: so many may be queued or running, counted in Valkey for all processes.

A query counts from the moment that it is asked for until its task ends. One whose worker was killed counts until its task would
have been given to another worker.
"""

import time
from typing import Any

from redis import Redis

from superset_tenancy.timeouts import TIMEOUTS

#: Queries of one tenant that are queued or running.
AT_ONCE = 6

#: Keys: the tenant's. Arguments: now, the most, when it expires, the query, seconds to keep the key.
_TAKE = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
if redis.call('ZSCORE', KEYS[1], ARGV[4]) then return 1 end
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""


class AsynchronousQueries:
    def __init__(self, shared: Redis) -> None:
        self._shared = shared

    def take(self, tenant: str, query: Any) -> bool:
        """Counts the query, if there is room for it."""
        now, keep = time.time(), TIMEOUTS["brokerVisibility"]
        return bool(self._shared.eval(_TAKE, 1, _key(tenant), now, AT_ONCE, now + keep, str(query), keep))

    def release(self, tenant: str, query: Any) -> None:
        self._shared.zrem(_key(tenant), str(query))


def _key(tenant: str) -> str:
    return f"tenancy_asynchronous_{tenant}"
