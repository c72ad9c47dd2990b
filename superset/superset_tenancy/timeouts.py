"""The time-outs of timeouts.json, in seconds, which the template takes, too."""

import json
from pathlib import Path

TIMEOUTS: dict[str, int] = json.loads(Path(__file__).with_name("timeouts.json").read_text())
