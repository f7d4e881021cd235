"""What the doctor says."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and what to do if it is not good."""

    what: str
    state: State
    detail: str
    advice: str = ""


def good(what: str, detail: str) -> Finding:
    return Finding(what, State.GOOD, detail)


def note(what: str, detail: str, advice: str = "") -> Finding:
    return Finding(what, State.NOTE, detail, advice)


def bad(what: str, detail: str, advice: str) -> Finding:
    return Finding(what, State.BAD, detail, advice)
