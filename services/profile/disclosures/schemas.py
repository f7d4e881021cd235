from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.profile.disclosures.domain import Sharing, State, Will
from services.profile.parameters import CODE_PATTERN, NO_NUL, Code, Id, Moment, Strict

Data = Annotated[
    list[Annotated[str, Field(pattern=CODE_PATTERN)]],
    Field(
        min_length=1, max_length=50, description="Fields of a customer, such as name, phone, city"
    ),
]
Reference = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=500)]


class SharingPut(Strict):
    """What the customer said: which data may go to this recipient."""

    state: Will
    data: Data
    text_version: Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=64)] = Field(
        description="Of the text shown"
    )
    at: Moment | None = Field(default=None, description="When it was said; default: now")
    evidence: Reference = Field(description="Reference of the proof kept")

    def to_domain(self, recipient: str, now: Moment) -> Sharing:
        return Sharing(
            recipient=recipient,
            state=self.state,
            data=tuple(sorted(set(self.data))),
            text_version=self.text_version,
            at=self.at or now,
            evidence=self.evidence,
        )


class SharingRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    recipient: str = Field(description="One of `recipient` in `/v1/codes`")
    state: Will
    data: list[str]
    text_version: str
    at: Moment
    evidence: str


class Sharings(BaseModel):
    """What a customer last said of each recipient."""

    customer_id: str
    items: list[SharingRead]


class DisclosureCreate(Strict):
    disclosure_id: Id | None = Field(default=None, description="Your id; repeated, it asks once")
    recipient: Code | None = Field(
        default=None,
        description="Who outside the bank gets it, one of `recipient` in `/v1/codes`: only "
        "customers whose consent names it and the data; null: it stays in the bank",
    )
    data: Data
    org: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./-]{1,255}$")] | None = Field(
        default=None, description="Customers of this place of the bank and those below; null: all"
    )
    purpose: Code = Field(description="One of `unmasking_purpose` in `/v1/codes`")


class DisclosureRead(BaseModel):
    """A disclosure and who allowed it."""

    model_config = ConfigDict(from_attributes=True)

    disclosure_id: str
    state: State
    recipient: str | None
    data: list[str]
    org: str | None
    purpose: str
    asked_at: Moment
    asked_by: str
    decided_at: Moment | None = Field(description="Approved, it is open for 24 hours from then")
    decided_by: str | None
