"""One contact in the ledger: reserved, then sent, or not."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.strategy.strategies.domain import Purpose
from shared.errors import Conflict, Refused


class ContactRefused(Refused):
    code = "contact_refused"
    title = "This customer may not be contacted so now"


class ContactSettled(Conflict):
    code = "contact_settled"
    title = "The contact was settled before"


class State(StrEnum):
    """An expired contact keeps counting: nobody knows whether it was sent."""

    RESERVED = "reserved"
    CONFIRMED = "confirmed"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One row of the ledger; `bypassed`: a notice that no cap or quiet hour bound."""

    contact_id: str
    customer_id: str
    channel: str
    purpose: Purpose
    action: str | None
    strategy: str | None
    proposition_id: str | None
    contact_person: str | None
    state: State
    bypassed: bool
    client_id: str
    actor: str
    reserved_at: datetime
    expires_at: datetime
    changed_at: datetime


def may_become(state: State, wanted: State) -> bool:
    """Tell whether a contact may go on; an expired one may still be confirmed as sent."""
    allowed = {
        State.RESERVED: {State.CONFIRMED, State.RELEASED, State.EXPIRED},
        State.EXPIRED: {State.CONFIRMED},
    }
    return wanted in allowed.get(state, set())
