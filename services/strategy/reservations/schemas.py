"""Reservations over HTTP."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.strategy.reservations.domain import State
from shared.errors import FieldError, Invalid


class MoneyUpdate(BaseModel):
    model_config = ConfigDict(extra="forbid")

    amount: Annotated[Decimal, Field(gt=0, max_digits=18, decimal_places=2)] = Field(
        description="In `currency`"
    )
    currency: str = Field(pattern="^[A-Z]{3}$", description="The bank's currency")

    def in_currency_of_bank(self, currency: str) -> Decimal:
        """Return the amount in the currency that quotas are kept in.

        Raises:
            Invalid: if it is in another one.
        """
        if self.currency != currency:
            raise Invalid(
                f"Quotas are kept in {currency}; convert the amount before you send it",
                code="foreign_currency",
                errors=[FieldError("/amount/currency", f"must be {currency}")],
            )
        return self.amount


class ReservationCreate(BaseModel):
    """Hold quota of a product for one sale."""

    model_config = ConfigDict(extra="forbid")

    product: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] = Field(
        description="Key of the product"
    )
    customer_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = Field(
        description="Who buys"
    )
    amount: MoneyUpdate | None = Field(
        default=None, description="Needed where the quota counts amounts"
    )


class ReservationRead(BaseModel):
    id: str
    customer_id: str
    product: str
    units: Decimal = Field(description="Pieces, or an amount: what it takes of the quota")
    state: State = Field(description="An expired one has given its quota back")
    at: datetime
    expires_at: datetime = Field(description="Confirm or release before")
