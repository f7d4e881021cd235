"""Sales that should not have been (销售行为核查): none precedes or exceeds an assessment (B6).

A sale is a fact that another system reports, and is never refused for this. What is wrong with it
follows from the facts alone, in whatever order they come.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.ids import new_id


class Breach(StrEnum):
    NO_ASSESSMENT = "no_assessment"
    ASSESSMENT_EXPIRED = "assessment_expired"
    CLASS_EXCEEDED = "class_exceeded"


class State(StrEnum):
    OPEN = "open"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """A purchase under suitability, with the assessment that counted when it happened.

    `risk_level` is R1 to R5 of the product then, None where the report does not say it;
    `risk_class` C1 to C5, None where the customer had never been assessed.
    """

    customer_id: str
    event_id: str
    occurred_at: datetime
    category: str
    risk_level: int | None
    risk_class: int | None
    valid_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong with a sale; withdrawn once the facts say that nothing is."""

    finding_id: str
    sale: Sale
    breach: Breach
    state: State
    found_at: datetime
    changed_at: datetime


def breach_of(sale: Sale) -> Breach | None:
    """Return what is wrong with a sale, if anything; an R1 product needs the assessment too.

    Source: statements B1, B5 and B6; 证券期货投资者适当性管理办法.
    """
    if sale.risk_class is None or sale.valid_until is None:
        return Breach.NO_ASSESSMENT
    if sale.valid_until <= sale.occurred_at:
        return Breach.ASSESSMENT_EXPIRED
    exceeds = sale.risk_level is not None and sale.risk_level > sale.risk_class
    return Breach.CLASS_EXCEEDED if exceeds else None


def reviewed(
    sales: Sequence[Sale], known: Mapping[tuple[str, str], Finding], now: datetime
) -> list[Finding]:
    """Return the findings that change: new, told otherwise, or withdrawn.

    Args:
        sales: all of some customers.
        known: their findings so far, by customer and event.
        now: when they are looked at.
    """
    looked_at = [(sale, known.get((sale.customer_id, sale.event_id))) for sale in sales]
    changed = [_reviewed(sale, finding, now) for sale, finding in looked_at]
    return [each for each in changed if each is not None]


def _reviewed(sale: Sale, known: Finding | None, now: datetime) -> Finding | None:
    breach = breach_of(sale)
    if known is None:
        return None if breach is None else _found(sale, breach, now)
    state = State.WITHDRAWN if breach is None else State.OPEN
    after = replace(known, sale=sale, breach=breach or known.breach, state=state)
    if (after.state, after.breach) == (known.state, known.breach):
        return None
    return replace(after, changed_at=now)


def _found(sale: Sale, breach: Breach, now: datetime) -> Finding:
    return Finding(
        finding_id=new_id(),
        sale=sale,
        breach=breach,
        state=State.OPEN,
        found_at=now,
        changed_at=now,
    )
