"""Who looks after which customers (管户), and handing them over: for good, or for an absence."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from shared.errors import Conflict, FieldError, Invalid, NotFound, SecondPersonNeeded


class State(StrEnum):
    PROPOSED = "proposed"
    DISPUTED = "disputed"
    ACCEPTED = "accepted"
    IN_EFFECT = "in_effect"
    RETURNED = "returned"
    CANCELLED = "cancelled"


class NoSuchHandOver(NotFound):
    code = "no_such_hand_over"


class SameManager(Invalid):
    code = "same_manager"
    title = "Customers are handed over to another manager"


class BadTerm(Invalid):
    code = "bad_term"
    title = "An absence ends after it begins, and not in the past"


class UnknownHandOverReason(Invalid):
    code = "unknown_hand_over_reason"
    title = "There is no such reason for a hand-over"


class HandOverSettled(Conflict):
    code = "hand_over_settled"
    title = "The state of the hand-over does not allow this"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """Customers of one manager that another takes over from a day on.

    `customers` is None for all of the manager's; `org` narrows them to a part of the bank. With
    `until` it is a substitution: the day after, those still with the substitute go back.
    """

    hand_over_id: str
    from_rm: str
    to_rm: str
    org: str | None
    customers: tuple[str, ...] | None
    reason: str
    since: date
    until: date | None
    state: State
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    dispute: str | None = None
    handed: int = 0

    @property
    def is_substitution(self) -> bool:
        return self.until is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """A customer whom a substitution handed over, of `rm_id` now.

    `others` are the other substitutions that handed them over: hand-over, from, to.
    """

    customer_id: str
    rm_id: str | None
    others: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who says so, and when."""

    by: str
    at: datetime


def check(wanted: HandOver, *, reasons: frozenset[str], today: date) -> None:
    """Refuse what makes no sense.

    Raises:
        SameManager: both are one.
        BadTerm: it ends before it begins, or has ended.
        UnknownHandOverReason: the catalogue does not name the reason.
    """
    if wanted.from_rm == wanted.to_rm:
        raise SameManager(
            f"{wanted.to_rm} has them already", errors=[FieldError("/to_rm", "is from_rm")]
        )
    if wanted.until is not None and (wanted.until < wanted.since or wanted.until < today):
        raise BadTerm(
            f"until {wanted.until} lies before {max(wanted.since, today)}",
            errors=[FieldError("/until", "is too early")],
        )
    if wanted.reason not in reasons:
        raise UnknownHandOverReason(
            f"The reasons are {', '.join(sorted(reasons))}",
            errors=[FieldError("/reason", "unknown reason")],
        )


def accepted(hand_over: HandOver, decision: Decision) -> HandOver:
    """Accept a hand-over, a disputed one too: that settles the dispute.

    Raises:
        SecondPersonNeeded: who proposed it would accept it.
        HandOverSettled: it is neither proposed nor disputed.
    """
    if decision.by == hand_over.proposed_by:
        raise SecondPersonNeeded(f"{decision.by} proposed it; another person has to accept")
    return _settled(hand_over, State.ACCEPTED, decision, State.PROPOSED, State.DISPUTED)


def disputed(hand_over: HandOver, why: str, decision: Decision) -> HandOver:
    """Object to a hand-over: nothing moves until somebody settles it.

    Raises:
        HandOverSettled: it is not proposed any more.
    """
    return replace(_settled(hand_over, State.DISPUTED, decision, State.PROPOSED), dispute=why)


def cancelled(hand_over: HandOver, decision: Decision) -> HandOver:
    """Call a hand-over off before its day.

    Raises:
        HandOverSettled: it is in effect, or over.
    """
    before = State.PROPOSED, State.DISPUTED, State.ACCEPTED
    return _settled(hand_over, State.CANCELLED, decision, *before)


def next_state(hand_over: HandOver, today: date) -> State | None:
    """Return what a hand-over becomes by the day: in effect, returned; None: it stays."""
    if hand_over.state is State.ACCEPTED and hand_over.since <= today:
        return State.IN_EFFECT
    is_over = hand_over.until is not None and hand_over.until < today
    return State.RETURNED if hand_over.state is State.IN_EFFECT and is_over else None


def passed_on(hand_over: HandOver, handed: Handed) -> tuple[str, ...] | None:
    """Return by which other substitutions a customer came from the substitute to where they are.

    While two stand in for each other, or a substitute is absent too, customers are passed on; who
    comes back gets them wherever they were passed on to.

    Returns:
        Ids of hand-overs in their order, none if the substitute has the customer; None: somebody
        else has taken the customer over meanwhile.
    """
    at, path = hand_over.to_rm, tuple[str, ...]()
    while at != handed.rm_id:
        onward = next(
            (each for each in handed.others if each[1] == at and each[0] not in path), None
        )
        if onward is None:
            return None
        path, at = (*path, onward[0]), onward[2]
    return path


def _settled(hand_over: HandOver, state: State, decision: Decision, *allowed: State) -> HandOver:
    if hand_over.state not in allowed:
        raise HandOverSettled(f"Hand-over {hand_over.hand_over_id} is {hand_over.state.value}")
    return replace(hand_over, state=state, decided_by=decision.by, decided_at=decision.at)
