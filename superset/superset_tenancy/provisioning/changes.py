"""What the provisioner did, or would do, in words."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Change:
    """Something that is now another than before: `thing` names it, `done` says what was done to it, as in "was <done>"."""

    thing: str
    done: str
    #: What else there is to say of it.
    detail: str = ""

    def said(self, dry_run: bool) -> str:
        return f"{self.thing} {'would be ' if dry_run else ''}{self.done}{self.detail}"


@dataclass(frozen=True)
class Note:
    """Something that the operator should know, and that was left as it is."""

    text: str

    def said(self, _dry_run: bool) -> str:
        return self.text


class Refused(Exception):
    """What is asked for cannot be done as it is: all that is wrong with it, found before anything was touched."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
