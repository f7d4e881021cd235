from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator

from services.profile.accounts.domain import Account, Role
from services.profile.parameters import NO_NUL, Strict


def is_day(value: date) -> date:
    """Refuse days no account of ours can have."""
    if not date(1900, 1, 1) <= value <= date(2200, 1, 1):
        raise ValueError("must lie between 1900 and 2200")
    return value


Day = Annotated[date, AfterValidator(is_day)]


class AccountPut(Strict):
    role: Role = Role.OWNER
    currency: Annotated[
        str | None, Field(pattern="^[A-Z]{3}$", description="Default: the bank's")
    ] = None
    opened_at: Day
    closed_at: Day | None = None
    status: Annotated[str | None, Field(pattern=NO_NUL, max_length=64)] = None

    @model_validator(mode="after")
    def _closes_after_opening(self) -> Self:
        if self.closed_at is not None and self.closed_at < self.opened_at:
            raise ValueError("closed_at lies before opened_at")
        return self

    def to_domain(self, account_id: str, bank_currency: str) -> Account:
        return Account(
            account_id=account_id,
            role=self.role,
            currency=self.currency or bank_currency,
            opened_at=self.opened_at,
            closed_at=self.closed_at,
            status=self.status,
        )


class AccountRead(BaseModel):
    account_id: str
    role: Role
    currency: str
    opened_at: date
    closed_at: date | None
    status: str | None
