"""Duplicates: two records that may be one party, and what a person decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.profile.matching.domain.proposals import Evidence, FoundBy
from shared.errors import Conflict, FieldError, Invalid, NotFound


class DuplicateState(StrEnum):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


class NoSuchDuplicate(NotFound):
    code = "no_such_duplicate"


class DuplicateDecided(Conflict):
    code = "duplicate_decided"
    title = "The duplicate has been decided otherwise"


class NotOfThePair(Invalid):
    code = "not_of_the_pair"
    title = "The survivor is none of the two"


class UnknownRefusal(Invalid):
    code = "unknown_refusal"
    title = "There is no such reason to refuse a duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A proposal that two customers are one party, and its decision."""

    duplicate_id: str
    customer_id: str
    other_id: str
    source: FoundBy
    probability: float
    evidence: tuple[Evidence, ...]
    state: DuplicateState
    proposed_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    survivor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decided on a duplicate: confirmed with a survivor, or refused for a reason."""

    state: DuplicateState
    actor: str
    at: datetime
    survivor: str | None = None
    reason: str | None = None


def check_refusal(reason: str, known: Iterable[str]) -> None:
    """Refuse a reason that the catalogue does not name.

    Raises:
        UnknownRefusal: lists those there are.
    """
    reasons = sorted(known)
    if reason not in reasons:
        raise UnknownRefusal(
            f"The reasons are {', '.join(reasons)}",
            errors=[FieldError("/reason", "unknown reason")],
        )


def must_change(duplicate: Duplicate, decision: Decision) -> bool:
    """Tell whether a decision changes anything; the same one again does not.

    Raises:
        NotOfThePair: the survivor is another customer.
        DuplicateDecided: it was decided otherwise before.
    """
    if decision.survivor not in {None, duplicate.customer_id, duplicate.other_id}:
        raise NotOfThePair(
            f"The survivor is {duplicate.customer_id} or {duplicate.other_id}",
            errors=[FieldError("/survivor", "is none of the two")],
        )
    if duplicate.state is DuplicateState.PROPOSED:
        return True
    before = (duplicate.state, duplicate.survivor, duplicate.reason)
    if before != (decision.state, decision.survivor, decision.reason):
        raise DuplicateDecided(f"It was {duplicate.state} at {duplicate.decided_at}")
    return False
