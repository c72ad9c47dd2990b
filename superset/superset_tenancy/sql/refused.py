"""Why a text may not run."""


class SqlRefused(Exception):
    """The reason, for the user who typed the text."""


def shown(text: str) -> str:
    """What was typed, short enough for a message."""
    return text if len(text) <= 40 else text[:40] + "…"
