"""Why a step of a move ended before its end."""


class Stopped(Exception):
    """What was done so far stays; the same command goes on from there once the reason is mended."""
