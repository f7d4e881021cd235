"""What persons may ask of the bank about their data, and when it is answered (P11, P13, P14)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from shared.errors import Conflict, FieldError, Invalid, NotFound, SecondPersonNeeded

SERVICES = ("profile", "segment", "strategy", "feedback")
"""Who holds data of customers in any case; whoever follows a feed of profile's is added."""


ERASED = "erased"
"""Why a request is closed whose customer was erased; one of the catalogue's refusals."""


class Kind(StrEnum):
    ACCESS = "access"
    CORRECTION = "correction"
    ERASURE = "erasure"


class State(StrEnum):
    RECEIVED = "received"
    CARRYING_OUT = "carrying_out"
    FULFILLED = "fulfilled"
    REFUSED = "refused"


class NoSuchRequest(NotFound):
    code = "no_such_rights_request"


class RequestDiffers(Conflict):
    code = "rights_request_differs"
    title = "The id was used for another request"


class RequestDecided(Conflict):
    code = "rights_request_decided"
    title = "The request was decided before"


class UnknownReason(Invalid):
    code = "unknown_refusal"
    title = "There is no such reason to refuse a request"


class AccountsOpen(Conflict):
    code = "accounts_open"
    title = "The customer still has accounts"


class NobodyWaits(Conflict):
    code = "receipt_not_awaited"
    title = "No receipt is awaited of this reader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """That a reader has taken a customer out of its stores: what it did with each."""

    at: datetime
    stores: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request of a person; `records` are all ids under which the bank knows them."""

    request_id: str
    customer_id: str
    kind: Kind
    state: State
    records: Sequence[str]
    received_at: datetime
    received_by: str
    due_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None
    reason: str | None = None
    readers: Sequence[str] = ()
    receipts: Mapping[str, Receipt] = field(default_factory=dict[str, Receipt])
    closed_at: datetime | None = None

    @property
    def awaited(self) -> list[str]:
        """Whose receipts are missing."""
        return [reader for reader in self.readers if reader not in self.receipts]

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it ought to have been answered."""
        return self.closed_at is None and now > self.due_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """The person who decides, and when."""

    person: str
    at: datetime


def received(
    request_id: str, customer_id: str, kind: Kind, *, by: str, at: datetime, due_days: int
) -> Request:
    """Return a request as it comes in."""
    return Request(
        request_id=request_id,
        customer_id=customer_id,
        kind=kind,
        state=State.RECEIVED,
        records=[],
        received_at=at,
        received_by=by,
        due_at=at + timedelta(days=due_days),
    )


def refused(request: Request, reason: str, decider: Decider, *, known: Iterable[str]) -> Request:
    """Refuse a request.

    Raises:
        UnknownReason: the catalogue does not name the reason.
        RequestDecided: it was decided before.
    """
    reasons = sorted(known)
    if reason not in reasons:
        raise UnknownReason(
            f"The reasons are {', '.join(reasons)}",
            errors=[FieldError("/reason", "unknown reason")],
        )
    decided = _decided(request, decider)
    return replace(decided, state=State.REFUSED, reason=reason, closed_at=decider.at)


def fulfilled(request: Request, decider: Decider) -> Request:
    """Note that a person has answered a request for access or correction.

    Raises:
        RequestDecided: it was decided before.
    """
    return replace(_decided(request, decider), state=State.FULFILLED, closed_at=decider.at)


def carrying_out(
    request: Request, decider: Decider, *, records: Sequence[str], readers: Iterable[str]
) -> Request:
    """Begin an erasure, which ends with the receipts of all who read profile's feed.

    Raises:
        SecondPersonNeeded: who took the request would decide on it.
        RequestDecided: it was decided before.
    """
    decided = _decided(request, decider)
    if decider.person == request.received_by:
        raise SecondPersonNeeded(
            f"{request.received_by} took the request; an erasure cannot be undone, so that "
            "another person has to decide on it"
        )
    return replace(
        decided,
        state=State.CARRYING_OUT,
        records=list(records),
        readers=sorted({*SERVICES, *readers}),
    )


def acknowledged(request: Request, reader: str, receipt: Receipt) -> Request:
    """Take the receipt of a reader; with the last one the request is fulfilled.

    Raises:
        NobodyWaits: it is no erasure under way, or the reader is none of those awaited.
    """
    if request.state is State.FULFILLED and reader in request.receipts:
        return request
    if request.state is not State.CARRYING_OUT or reader not in request.readers:
        raise NobodyWaits(
            f"Request {request.request_id} awaits {', '.join(request.awaited) or 'nobody'}",
            awaited=request.awaited,
        )
    with_it = replace(request, receipts={**request.receipts, reader: receipt})
    if with_it.awaited:
        return with_it
    return replace(with_it, state=State.FULFILLED, closed_at=receipt.at)


def overtaken(request: Request, erasure: Request) -> Request:
    """Close what was still open of a customer who is erased: nothing is left to answer it with."""
    return replace(
        request,
        state=State.REFUSED,
        reason=ERASED,
        decided_at=erasure.decided_at,
        decided_by=erasure.decided_by,
        closed_at=erasure.closed_at,
    )


def _decided(request: Request, decider: Decider) -> Request:
    if request.state is not State.RECEIVED:
        raise RequestDecided(f"Request {request.request_id} is {request.state.value}")
    return replace(request, decided_at=decider.at, decided_by=decider.person)
