"""The 360° view over HTTP; each part is documented at the operation it comes from."""

from typing import Any

from pydantic import BaseModel, Field


class MissingPart(BaseModel):
    """A part that could not be had."""

    part: str = Field(description="Name of the field that is null", examples=["outcomes"])
    code: str = Field(description="Reason", examples=["service_unavailable"])
    detail: str = Field(description="Reason in words")


class CustomerView(BaseModel):
    """Everything the suite shows of one customer to this caller; a missing part is null."""

    customer_id: str = Field(description="The customer asked for")
    customer: Any = Field(description="As `GET /v1/customers/{customer_id}`")
    accounts: Any = Field(description="As `…/accounts`")
    holdings: Any = Field(description="As `…/holdings`")
    consents: Any = Field(description="As `…/consents`")
    flags: Any = Field(description="As `…/flags`")
    features: Any = Field(description="As `…/features`")
    timeline: Any = Field(description="As `…/timeline`")
    levels: Any = Field(description="As `…/levels`")
    segments: Any = Field(description="As `…/segments`")
    outcomes: Any = Field(description="As `…/outcomes`")
    missing: list[MissingPart] = Field(description="Parts that are null, and why")
