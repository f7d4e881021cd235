"""On which ground attributes are held, and what they may therefore be read for (P1)."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from services.profile.vocabulary import Ground
from shared.errors import FieldError, Invalid

T = TypeVar("T")
CONSENT = "consent"
"""The ground that holds only while the customer allows profiling."""


class UnknownPurpose(Invalid):
    code = "unknown_purpose"
    title = "Nothing is read for such a purpose"


def covers(ground: Ground, purpose: str, *, allows_profiling: bool) -> bool:
    """Tell whether a read for a purpose may see the attributes of a ground."""
    return purpose in ground.purposes and (ground.ground != CONSENT or allows_profiling)


def check_purpose(grounds: Sequence[Ground], purpose: str) -> None:
    """Refuse a purpose that nothing is held for.

    Raises:
        UnknownPurpose: lists those there are.
    """
    known = sorted({each for ground in grounds for each in ground.purposes})
    if purpose not in known:
        raise UnknownPurpose(
            f"The purposes are {', '.join(known)}",
            errors=[FieldError("query:purpose", "unknown purpose")],
        )


def covering(grounds: Sequence[Ground], purpose: str, *, allows_profiling: bool) -> frozenset[str]:
    """Return the keys of the groups that a read for a purpose may see.

    Raises:
        UnknownPurpose: nothing is held for it; lists those there are.
    """
    check_purpose(grounds, purpose)
    return frozenset(
        each.key for each in grounds if covers(each, purpose, allows_profiling=allows_profiling)
    )


def omitted(grounds: Sequence[Ground], purpose: str, *, allows_profiling: bool) -> frozenset[str]:
    """Return the attributes that a read for a purpose does not see.

    Raises:
        UnknownPurpose: no attribute is held for it; lists those there are.
    """
    check_purpose(grounds, purpose)
    return frozenset(
        attribute
        for ground in grounds
        if not covers(ground, purpose, allows_profiling=allows_profiling)
        for attribute in ground.attributes
    )


def without(facts: Mapping[str, T], hidden: frozenset[str]) -> dict[str, T]:
    """Return facts without those that are hidden."""
    return {name: value for name, value in facts.items() if name not in hidden}
