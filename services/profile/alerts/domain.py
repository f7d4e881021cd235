"""Which alerts staff are shown, and why they need to see one no more."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from shared.errors import FieldError, Forbidden, Invalid, NotFound

State = Literal["open", "all"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which alerts are listed; None does not narrow. `run_id`: those that a run changed."""

    state: State
    rm_id: str | None = None
    org_path: str | None = None
    severity: str | None = None
    kind: str | None = None
    run_id: str | None = None


class NoSuchAlert(NotFound):
    code = "no_such_alert"


class UnknownAcknowledgement(Invalid):
    code = "unknown_acknowledgement"
    title = "There is no such reason"


class AlertsNotForCustomers(Forbidden):
    code = "alerts_not_for_customers"
    title = "Alerts are for staff"


def check_reason(reason: str, known: Iterable[str]) -> None:
    """Refuse a reason that is not in the catalogue.

    Raises:
        UnknownAcknowledgement: names those there are.
    """
    keys = sorted(known)
    if reason not in keys:
        errors = [FieldError("/reason", f"one of {', '.join(keys)}")]
        raise UnknownAcknowledgement(f"Send one of {', '.join(keys)}", errors=errors)


def must_be_staff(customer: str | None) -> None:
    """Refuse a caller that is bound to a customer what the bank thinks of the customer.

    Raises:
        AlertsNotForCustomers: it is.
    """
    if customer is not None:
        raise AlertsNotForCustomers("This token is bound to a customer; alerts are for staff")
