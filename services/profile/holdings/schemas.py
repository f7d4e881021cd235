from dataclasses import asdict
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field, model_validator

from services.profile.holdings.domain import Balance, Holding
from services.profile.money import received, written
from services.profile.parameters import NO_NUL, Amount, Day, Id, Moment, Strict, WrittenAmount

MONEY = ("credit_line", "amount", "payment")


class HoldingPut(Strict):
    category: Annotated[str, Field(description="Key of a product category")]
    account_id: Id | None = None
    product_id: Id | None = None
    opened_at: Day
    matures_at: Day | None = None
    closed_at: Day | None = None
    balance: Amount | None = Field(default=None, description="Owned, or owed for loans and cards")
    balance_at: Moment | None = Field(default=None, description="Default: now")
    credit_line: Amount | None = None
    amount: Amount | None = Field(default=None, description="Principal at the start")
    term_months: Annotated[int | None, Field(ge=0, le=1200)] = None
    payment: Amount | None = Field(default=None, description="Due each month")
    status: Annotated[str | None, Field(pattern=NO_NUL, max_length=64)] = None
    rate: Annotated[float | None, Field(ge=-1, le=10, description="A year; 0.031 is 3.1%")] = None

    overdue_since: Day | None = Field(
        default=None, description="First day of the oldest debt not paid; null: nothing is overdue"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.closed_at is not None and self.closed_at < self.opened_at:
            raise ValueError("closed_at lies before opened_at")
        if self.balance_at is not None and self.balance is None:
            raise ValueError("balance_at without a balance")
        return self

    def to_domain(self, holding_id: str, currency: str) -> Holding:
        plain: dict[str, Any] = self.model_dump(exclude={*MONEY, "balance", "balance_at"})
        money: dict[str, Any] = {
            name: received(getattr(self, name), currency, f"/{name}") for name in MONEY
        }
        return Holding(holding_id=holding_id, currency=currency, **plain, **money)

    def to_balance(self, currency: str, now: Moment) -> Balance | None:
        amount: Decimal | None = received(self.balance, currency, "/balance")
        return None if amount is None else Balance(amount, self.balance_at or now)


class DayEndRead(BaseModel):
    """What a holding stood at at the end of one day; it stood so until the next one listed."""

    day: date
    balance: WrittenAmount = Field(description="Owned, or owed for loans and cards")
    at: Moment = Field(description="The last word of that day")


class HoldingRead(BaseModel):
    holding_id: str
    category: str
    currency: str
    opened_at: date
    account_id: str | None
    product_id: str | None
    matures_at: date | None
    closed_at: date | None
    balance: WrittenAmount | None = Field(description="The last one known")
    balance_at: Moment | None
    credit_line: WrittenAmount | None
    amount: WrittenAmount | None
    term_months: int | None
    payment: WrittenAmount | None
    status: str | None
    rate: float | None
    overdue_since: date | None

    @classmethod
    def of(cls, holding: Holding, balance: Balance | None, currency: str) -> Self:
        """Show a holding with its last balance."""
        money = {name: written(getattr(holding, name), currency) for name in MONEY}
        return cls.model_validate(
            {
                **asdict(holding),
                **money,
                "balance": written(balance.balance, currency) if balance else None,
                "balance_at": balance.at if balance else None,
            }
        )
