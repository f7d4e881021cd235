"""The KYC card: what is known of a customer, how lately, and what to ask or tell next."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.profile.assessments.domain import Assessment
from services.profile.customers.domain import Customer
from services.profile.needs.domain import Goal
from services.profile.vocabulary import KycItem, TalkCard
from shared.errors import FieldError, Invalid, NotFound

AHEAD = timedelta(minutes=5)


class State(StrEnum):
    FILLED = "filled"
    UNFILLED = "unfilled"
    OUTDATED = "outdated"


class NoSuchKycItem(NotFound):
    code = "no_such_kyc_item"


class KycFactElsewhere(Invalid):
    code = "kyc_fact_elsewhere"
    title = "The item follows from a fact that is stated elsewhere"


class KycValueMissing(Invalid):
    code = "kyc_value_missing"
    title = "The item has no value yet"


class ConfirmedAhead(Invalid):
    code = "confirmed_ahead"
    title = "Nobody can have confirmed it yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the card itself keeps of an item: a sealed value, or the confirmation of a fact."""

    item: str
    source: str
    confirmed_at: datetime
    is_sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value of the card as it is stored; `sealed` is None where a fact is confirmed."""

    customer_id: str
    item: str
    sealed: bytes | None
    source: str
    confirmed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What is stated of a customer elsewhere; identifiers are masked."""

    customer: Customer
    assessment: Assessment | None
    goals: Sequence[Goal]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact that fills an item, and when it was last stated."""

    value: Any
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One item of a customer's card; the value of a sealed one is not shown."""

    item: KycItem
    state: State
    value: Any = None
    is_sealed: bool = False
    source: str | None = None
    confirmed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A customer's KYC card and the open window (公开象限) that follows from it.

    Open: known to both. Hidden: the customer knows, the bank does not. Blind: the bank sees, the
    customer may not have been told. Unknown: what was known once, and may be so no longer.
    """

    customer_id: str
    entries: Sequence[Entry]
    blind: Sequence[TalkCard]

    @property
    def completeness(self) -> float:
        """Return the share of the items that are filled and not outdated."""
        return len(self.pane(State.FILLED)) / len(self.entries) if self.entries else 0.0

    def pane(self, state: State) -> list[KycItem]:
        """Return the items in a state: filled ones are open, unfilled hidden, outdated unknown."""
        return [entry.item for entry in self.entries if entry.state == state]


def items_of(party_type: str, items: Mapping[str, KycItem]) -> list[KycItem]:
    """Return the items of a party type's card, in its order."""
    return [item for item in items.values() if party_type in item.party_types]


def entries_of(
    items: Iterable[KycItem], stated: Stated, kept: Mapping[str, Kept], *, oldest: datetime
) -> list[Entry]:
    """Return the entries of a card; what was confirmed at `oldest` or before is outdated.

    Source: domain guide section 13, KYC items.
    """
    return [_entry(item, stated, kept.get(item.key), oldest) for item in items]


def fact_of(path: str, stated: Stated) -> Fact | None:
    """Return the fact of a path such as `customer.occupation`, None if it is not stated."""
    table, _, name = path.partition(".")
    match table:
        case "customer":
            return _fact(stated.customer.facts[name], stated.customer.updated_at)
        case "identifier":
            return _fact(stated.customer.identifiers.get(name), stated.customer.updated_at)
        case "assessment":
            assessed = stated.assessment
            return assessed and _fact(getattr(assessed, name), assessed.assessed_at)
        case "goal":
            told = [goal for goal in stated.goals if getattr(goal, name) is not None]
            values = sorted({getattr(goal, name) for goal in told})
            return Fact(values, max(goal.stated_at for goal in told)) if told else None
        case _:
            raise ValueError(f"no fact {path}")


def months_before(now: datetime, months: int) -> datetime:
    """Return the same day of an earlier month, or its last day where it is shorter."""
    year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    for day in range(now.day, 27, -1):
        try:
            return now.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return now.replace(year=year, month=month + 1)


def check_put(item: KycItem, value: Any, fact: Fact | None) -> None:
    """Refuse a value for what is stated elsewhere, and a confirmation of what is not there.

    Raises:
        KycFactElsewhere: says where it is stated.
        KycValueMissing: there is nothing to confirm.
    """
    if item.fact is not None and value is not None:
        raise KycFactElsewhere(
            f"{item.key} is {item.fact}: state it there, and leave the value out to confirm it",
            errors=[FieldError("/value", f"state it as {item.fact}")],
        )
    if item.fact is not None and fact is None:
        raise KycValueMissing(
            f"{item.fact} is not stated yet: state it, which confirms it too",
            errors=[FieldError("/value", f"state it as {item.fact}")],
        )
    if item.fact is None and value is None:
        raise KycValueMissing(
            f"Send the value of {item.key}", errors=[FieldError("/value", "required")]
        )


def check_confirmed(confirmed_at: datetime, now: datetime) -> None:
    """Refuse a confirmation of a time that has not come, five minutes of clock skew aside.

    Raises:
        ConfirmedAhead: says when it is now.
    """
    if confirmed_at > now + AHEAD:
        raise ConfirmedAhead(
            f"confirmed_at {confirmed_at} lies ahead of {now}",
            errors=[FieldError("/confirmed_at", "lies in the future")],
        )


def _entry(item: KycItem, stated: Stated, kept: Kept | None, oldest: datetime) -> Entry:
    if item.fact is not None:
        return _entry_of_fact(item, fact_of(item.fact, stated), kept, oldest)
    if kept is None or not kept.is_sealed:
        return Entry(item=item, state=State.UNFILLED)
    return Entry(
        item=item,
        state=_state(kept.confirmed_at, oldest),
        is_sealed=True,
        source=kept.source,
        confirmed_at=kept.confirmed_at,
    )


def _entry_of_fact(item: KycItem, fact: Fact | None, kept: Kept | None, oldest: datetime) -> Entry:
    if fact is None:
        return Entry(item=item, state=State.UNFILLED)
    is_confirmed = kept is not None and kept.confirmed_at > fact.at
    confirmed_at = kept.confirmed_at if kept is not None and is_confirmed else fact.at
    return Entry(
        item=item,
        state=_state(confirmed_at, oldest),
        value=fact.value,
        source=kept.source if kept is not None and is_confirmed else None,
        confirmed_at=confirmed_at,
    )


def _state(confirmed_at: datetime, oldest: datetime) -> State:
    return State.FILLED if confirmed_at > oldest else State.OUTDATED


def _fact(value: Any, at: datetime) -> Fact | None:
    return None if value is None else Fact(value, at)
