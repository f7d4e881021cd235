"""What happened, in columns: one entry an event, before ids, ledgers and words are added."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bihuan.demo import design
from bihuan.demo.people import Flags, Ints

TYPES = (
    "login", "app_view", "app_click", "product_view", "application_abandoned", "content_read",
    "activity_joined", "branch_visit", "call_in", "message_answered", "transfer_in",
    "transfer_out", "cash_deposit", "cash_withdrawal", "payment", "card_spend", "purchase",
    "redemption", "salary", "pension", "interest", "fee", "auto_debit", "standing_order",
    "loan_drawdown", "loan_payment", "insurance_premium", "fx_exchange", "payroll_payment",
    "settlement_in", "settlement_out", "adjustment",
)  # fmt: skip
TYPE = {name: code for code, name in enumerate(TYPES)}
KINDS = ("own", "external", "merchant", "payroll")
PURPOSES = (
    "opening_balance", "purchase", "redemption", "maturity", "salary", "pension", "interest",
    "household", "loan", "insurance", "fee", "moving_money",
)  # fmt: skip
MOTIVES = (
    "daily", "family_education", "travel", "dining_fun", "online", "car", "instalment",
    "benefit_seeker",
)  # fmt: skip
NONE = -1
HERE = 10_000_000  # a counterparty above this is the customer of that number


@dataclass(frozen=True, slots=True, kw_only=True)
class Movements:
    """Positions of customer and holding in the block; NONE where there is none.

    `fen` is signed: in is positive. `booked` says that it moves the holding's ledger.
    `about` is what the type adds: a category viewed, a motive of spending, paid employees.
    """

    customer: Ints
    holding: Ints
    type: Ints
    at: Ints  # microseconds since 1970 UTC
    fen: Ints
    booked: Flags
    channel: Ints
    kind: Ints
    purpose: Ints
    party: Ints  # number of the counterparty
    about: Ints

    def __len__(self) -> int:
        return len(self.customer)

    def take(self, where: NDArray[np.int64] | NDArray[np.bool_]) -> "Movements":
        return Movements(**{field.name: getattr(self, field.name)[where] for field in fields(self)})


Column = int | NDArray[np.int64]


def movements(
    customer: Ints,
    at: Ints,
    type: str | Ints,
    *,
    holding: Column = NONE,
    fen: Column = 0,
    booked: bool | Flags = False,
    channel: Column = NONE,
    kind: Column | str = NONE,
    purpose: str | None = None,
    party: Column = NONE,
    about: Column = NONE,
) -> Movements:
    """Movements of equal length; a single value stands for all of them."""
    n = len(customer)

    def spread(value: Column) -> Ints:
        return np.broadcast_to(np.asarray(value, dtype=np.int64), n)

    return Movements(
        customer=customer.astype(np.int64),
        at=at,
        type=spread(TYPE[type] if isinstance(type, str) else type),
        holding=spread(holding),
        fen=spread(fen),
        booked=np.broadcast_to(np.asarray(booked, dtype=np.bool_), n),
        channel=spread(channel),
        kind=spread(KINDS.index(kind) if isinstance(kind, str) else kind),
        purpose=spread(PURPOSES.index(purpose) if purpose else NONE),
        party=spread(party),
        about=spread(about),
    )


def together(parts: Sequence[Movements]) -> Movements:
    return Movements(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Movements)
        }
    )


def channel(name: str) -> int:
    return design.CHANNELS.index(name)
