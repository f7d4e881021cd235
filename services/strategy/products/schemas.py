"""Products over HTTP: the shape of `catalogue/products.yaml`."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, PlainSerializer

from services.strategy.entries.schemas import Body, Label, Labelled, Versioned
from services.strategy.products.domain import QuotaKind

Amount = Annotated[
    Decimal, Field(ge=0, max_digits=18, decimal_places=2), PlainSerializer(str, return_type=str)
]
Rating = Literal["R1", "R2", "R3", "R4", "R5"]
CategoryKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


class Margin(Body):
    """Expected risk-adjusted margin of one conversion."""

    amount: Amount = Field(description="In `currency`")
    currency: str = Field(default="CNY", pattern="^[A-Z]{3}$", description="ISO 4217")
    per: Literal["conversion"] = Field(default="conversion", description="What it is the margin of")
    months: int = Field(default=12, ge=1, le=120, description="Over how many months")
    owner: str = Field(default="", max_length=64, description="Who answers for the figure")
    set_on: date | None = Field(default=None, alias="date", description="When it was set")


class QuotaUpdate(Body):
    kind: QuotaKind = Field(description="Pieces, or an amount in the bank's currency")
    total: Amount = Field(description="What may be sold in all")


class OnSale(Body):
    from_: date | None = Field(default=None, alias="from", description="First day, inclusive")
    until: date | None = Field(default=None, description="Last day, inclusive")


class Materials(Body):
    headline: Label | None = Field(default=None, description="What the customer reads first")
    notice: Label | None = Field(default=None, description="Risk notice")


class ProductUpdate(Labelled):
    category: CategoryKey = Field(description="Key of a category")
    risk_level: Rating | None = Field(default=None, description="Seller's rating; null: none")
    issuer_risk_level: Rating | None = Field(
        default=None, description="Issuer's rating; the higher of both counts"
    )
    margin: Margin = Field(description="Value of a conversion, for ranking only")
    quota: QuotaUpdate | None = Field(default=None, description="Null: no limit")
    minimum: Amount = Field(default=Decimal(0), description="Smallest first amount")
    rule: str | None = Field(default=None, max_length=10_000, description="Who may have it")
    hook: bool = Field(default=False, description="Small first purchase for the new track")
    plan: bool = Field(default=False, description="Bought in regular instalments")
    private_placement: bool = Field(default=False, description="Shown to qualified investors only")
    on_sale: OnSale = Field(default_factory=OnSale, description="When it is sold")
    materials: Materials = Field(default_factory=Materials, description="Words for the customer")


class ProductRead(Versioned, ProductUpdate):
    """A product and where this version of it came from."""
