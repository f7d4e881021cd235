"""Handing over data of many customers: by two people, outside by consents that name it (P6)."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Conflict, FieldError, Invalid, NotFound, SecondPersonNeeded

OPEN_FOR = timedelta(hours=24)


class State(StrEnum):
    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"


class Will(StrEnum):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class NoSuchDisclosure(NotFound):
    code = "no_such_disclosure"


class UnknownRecipient(Invalid):
    code = "unknown_recipient"
    title = "There is no such recipient"


class NotSharable(Invalid):
    code = "not_sharable"
    title = "Such data is not handed over"


class DisclosureDecided(Conflict):
    code = "disclosure_decided"
    title = "The disclosure was decided before"


class DisclosureClosed(Conflict):
    code = "disclosure_closed"
    title = "The disclosure is not open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What a customer said of handing data to a recipient."""

    recipient: str
    state: Will
    data: tuple[str, ...]
    text_version: str
    at: datetime
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclosure:
    """Data of many customers in plain text; without a recipient they stay in the bank."""

    disclosure_id: str
    state: State
    recipient: str | None
    data: tuple[str, ...]
    org: str | None
    purpose: str
    asked_at: datetime
    asked_by: str
    decided_at: datetime | None = None
    decided_by: str | None = None


def check_words(
    recipient: str | None,
    data: Sequence[str],
    *,
    recipients: Container[str],
    sharable: Sequence[str],
) -> None:
    """Refuse a recipient or data that the catalogue does not name.

    Raises:
        UnknownRecipient: `/v1/codes` lists those there are.
        NotSharable: lists what may be handed over.
    """
    if recipient is not None and recipient not in recipients:
        raise UnknownRecipient(
            f"{recipient} is none of `recipient` in /v1/codes",
            errors=[FieldError("/recipient", "unknown recipient")],
        )
    unknown = [
        FieldError(f"/data/{place}", "is not handed over")
        for place, name in enumerate(data)
        if name not in sharable
    ]
    if unknown:
        raise NotSharable(f"What may be handed over: {', '.join(sharable)}", errors=unknown)


def decided(disclosure: Disclosure, state: State, *, by: str, at: datetime) -> Disclosure:
    """Approve or refuse a disclosure.

    Raises:
        SecondPersonNeeded: who asked would decide.
        DisclosureDecided: it was decided before.
    """
    if by == disclosure.asked_by:
        raise SecondPersonNeeded(f"{by} asked for it; another person has to decide")
    if disclosure.state is not State.ASKED:
        raise DisclosureDecided(f"{disclosure.disclosure_id} is {disclosure.state.value}")
    return replace(disclosure, state=state, decided_at=at, decided_by=by)


def check_open(disclosure: Disclosure, now: datetime) -> None:
    """Refuse to hand over what was not approved, or long ago.

    Raises:
        DisclosureClosed: says which.
    """
    if disclosure.state is not State.APPROVED or disclosure.decided_at is None:
        raise DisclosureClosed(f"{disclosure.disclosure_id} is {disclosure.state.value}")
    if now > disclosure.decided_at + OPEN_FOR:
        raise DisclosureClosed(
            f"{disclosure.disclosure_id} was open for {OPEN_FOR.total_seconds() / 3600:.0f} hours "
            f"from {disclosure.decided_at.isoformat()}; ask again"
        )
