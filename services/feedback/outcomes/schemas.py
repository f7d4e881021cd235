from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WrapValidator

from services.feedback.outcomes.domain import Behaviour, RecordedOutcome, Report, outcome_id
from services.feedback.outcomes.service import Taken
from services.feedback.parameters import AmountRead, Code, Id, Moment
from shared.errors import FieldError, Invalid

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
Number = Annotated[int, Field(ge=-(2**53), le=2**53)]
Plain = Text | bool | Number | float | None
MOST = 1_000


class Amount(BaseModel):
    """Money: an exact amount and its currency."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=2, examples=["50000.00"])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["CNY"])]


class OutcomeCreate(BaseModel):
    """What came of one proposition."""

    model_config = ConfigDict(extra="forbid")

    outcome_id: Id | None = Field(
        default=None,
        description="Reported again under the same id it counts once; left out: derived from "
        "proposition, outcome and time",
    )
    proposition_id: Id
    outcome: Code = Field(description="`outcome` of /v1/codes", examples=["converted"])
    occurred_at: Moment | None = Field(
        default=None, description="Business time; default: now. At most 5 minutes ahead"
    )
    reason: Code | None = Field(
        default=None, description="`refusal_reason` or `call_result` of /v1/codes"
    )
    amount: Amount | None = Field(default=None, description="Of accepted and converted")
    until: Moment | None = Field(default=None, description="`later` needs it: not before this time")
    context: dict[Code, Plain] = Field(
        default={},
        max_length=20,
        description="References such as assessment_id; kept here, told to nobody",
    )

    def to_domain(self, *, now: datetime, currency: str, pointer: str = "") -> Report:
        """Return the report, in the bank's currency.

        Raises:
            Invalid: if the amount is in another one.
        """
        if self.amount is not None and self.amount.currency != currency:
            raise Invalid(
                f"Amounts are kept in {currency}; convert it before you send it",
                code="foreign_currency",
                errors=[FieldError(f"{pointer}/amount/currency", f"must be {currency}")],
            )
        own_id = outcome_id(self.proposition_id, self.outcome, self.occurred_at)
        return Report(
            outcome_id=self.outcome_id or own_id,
            proposition_id=self.proposition_id,
            outcome=self.outcome,
            occurred_at=self.occurred_at or now,
            recorded_at=now,
            reason=self.reason,
            amount=self.amount.amount if self.amount else None,
            until=self.until,
            context=self.context,
        )


class OutcomeBatch(BaseModel):
    """Several outcomes, recorded all or none."""

    model_config = ConfigDict(extra="forbid")

    outcomes: list[OutcomeCreate] = Field(min_length=1, max_length=MOST)


def _one_or_batch(value: Any, _: object) -> OutcomeCreate | OutcomeBatch:
    """Read what was meant, so that faults point into it and not into each alternative."""
    meant = OutcomeBatch if isinstance(value, dict) and "outcomes" in value else OutcomeCreate
    return meant.model_validate(value)


OutcomesWanted = Annotated[OutcomeCreate | OutcomeBatch, WrapValidator(_one_or_batch)]


def reports_of(
    wanted: OutcomeCreate | OutcomeBatch, *, now: datetime, currency: str
) -> dict[str, Report]:
    """Return the reports by their place in the body."""
    if isinstance(wanted, OutcomeCreate):
        return {"": wanted.to_domain(now=now, currency=currency)}
    return {
        (pointer := f"/outcomes/{index}"): outcome.to_domain(
            now=now, currency=currency, pointer=pointer
        )
        for index, outcome in enumerate(wanted.outcomes)
    }


class TakenRead(BaseModel):
    outcome_ids: list[str] = Field(description="In the order reported")
    accepted: int = Field(description="New ones")
    duplicates: int = Field(description="Known already; nothing changed")
    early: int = Field(description="Of the new ones, those whose decision has not arrived yet")

    @classmethod
    def of(cls, taken: Taken) -> "TakenRead":
        """Tell what became of the reports."""
        return cls(
            outcome_ids=[report.outcome_id for report in taken.reports],
            accepted=taken.accepted,
            duplicates=taken.duplicates,
            early=taken.early,
        )


class OutcomeRead(BaseModel):
    outcome_id: str
    proposition_id: str
    decision_id: str
    outcome: str
    behaviour: Behaviour
    reason: str | None
    channel: str
    direction: str
    strategy: str
    action: str
    treatment: str
    product: str | None
    category: str | None
    occurred_at: datetime
    recorded_at: datetime
    amount: AmountRead | None
    until: datetime | None
    context: dict[str, Any]

    @classmethod
    def of(cls, outcome: RecordedOutcome, currency: str) -> "OutcomeRead":
        """Tell a recorded outcome with its proposition."""
        report, proposition = outcome.report, outcome.proposition
        amount = None
        if report.amount is not None:
            amount = AmountRead(amount=f"{report.amount:.2f}", currency=currency)
        return cls(
            outcome_id=report.outcome_id,
            proposition_id=report.proposition_id,
            decision_id=proposition.decision_id,
            outcome=report.outcome,
            behaviour=outcome.behaviour,
            reason=report.reason,
            channel=proposition.channel,
            direction=proposition.direction,
            strategy=proposition.strategy,
            action=proposition.action,
            treatment=proposition.treatment,
            product=proposition.product,
            category=proposition.category,
            occurred_at=report.occurred_at,
            recorded_at=report.recorded_at,
            amount=amount,
            until=report.until,
            context=dict(report.context),
        )


def outcome_key(outcome: OutcomeRead) -> Sequence[object]:
    """The sort key of a customer's outcomes."""
    return outcome.occurred_at.isoformat(), outcome.outcome_id
