"""A sign of life of the Celery worker, for the health check of its container: a file that each heartbeat touches."""

import tempfile
from pathlib import Path
from typing import Any

from celery.signals import heartbeat_sent

SIGN_OF_LIFE = Path(tempfile.gettempdir(), "worker-alive")


@heartbeat_sent.connect
def live(**_sent: Any) -> None:
    """The loop that takes tasks runs."""
    SIGN_OF_LIFE.touch()
