"""Comparing what the client wrote down with what the suite tells: lost, doubled, strange."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeVar

Value = TypeVar("Value")


def lost_doubled_or_strange(
    what: str, *, acknowledged: Iterable[str], unknown: Iterable[str], found: Iterable[str]
) -> list[str]:
    """Say what is wrong with the ids that were found.

    Args:
        what: names the thing in the messages.
        acknowledged: ids that must be found exactly once.
        unknown: ids that may be found, at most once.
        found: ids as often as they were found.
    """
    must, may, counts = set(acknowledged), set(unknown), Counter(found)
    lost = [f"{what} {each} is lost" for each in sorted(must - counts.keys())]
    doubled = [f"{what} {each} is there {n} times" for each, n in counts.items() if n > 1]
    strange = [f"nobody asked for {what} {each}" for each in sorted(counts.keys() - must - may)]
    return lost + doubled + strange


def differences(
    what: str, expected: Mapping[str, Value], found: Mapping[str, Value], nothing: Value
) -> list[str]:
    """Say which values differ; a missing one counts as `nothing`."""
    return [
        f"{what} {name} is {found.get(name, nothing)}, not {expected.get(name, nothing)}"
        for name in sorted(expected.keys() | found.keys())
        if found.get(name, nothing) != expected.get(name, nothing)
    ]
