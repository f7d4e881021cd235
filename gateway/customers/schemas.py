"""The 360° view over HTTP; each part is documented at the operation it comes from."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.parts import PartMissing


class Freshness(BaseModel):
    """How old a part is."""

    as_of: datetime = Field(description="Business time that the part describes")
    age_seconds: float = Field(description="From then to the view's `now`")
    stands_in: str | None = Field(
        default=None,
        description="The part's own service does not answer: the service that was told it last, "
        "and shows what it was told; null: its own service answered",
    )


class CustomerView(BaseModel):
    """What one reader is shown of a customer.

    Beside these fields there is one for each part of the reader in `catalogue/views.yaml`, such as
    `holdings`: what the operation of that name answers (`…/holdings`), with the fields this reader
    is shown; null if it is missing.
    """

    model_config = ConfigDict(extra="allow")

    customer_id: str = Field(description="Of a record that was merged, the survivor's")
    reader: str = Field(description="Whom the view was made for", examples=["rm"])
    now: datetime = Field(description="Business time of the view")
    customer: Any = Field(default=None, description="As `GET /v1/customers/{customer_id}`")
    freshness: dict[str, Freshness] = Field(description="Of each part that is there")
    missing: list[PartMissing] = Field(description="Parts that are null, and why")
