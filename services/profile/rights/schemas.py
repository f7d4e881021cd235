from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.profile.parameters import Code, Id, Moment, Strict
from services.profile.rights.domain import Kind, State
from shared.subjects import Effect


class RequestCreate(Strict):
    request_id: Id | None = Field(default=None, description="Your id; repeated, it asks once")
    customer_id: Id
    kind: Kind = Field(
        description="access: a copy of all that is held; correction: of what is wrong; erasure: "
        "of all that no law wants kept"
    )


class RequestRefuse(Strict):
    reason: Code = Field(description="One of `rights_refusal` in `/v1/codes`")


class StoreTaken(Strict):
    store: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = Field(
        description="A table, an index, a file: what the reader calls it"
    )
    effect: Effect = Field(
        description="erase: gone; anonymise: kept, of nobody; restrict: law wants it kept, sealed "
        "and read by nothing; blank: its place kept, its content gone; keep: tells that and how "
        "the customer was erased"
    )
    rows: int = Field(ge=0, description="How many there were")


class ReceiptCreate(Strict):
    reader: Id = Field(description="The name under which it follows the feed of profile")
    stores: Annotated[list[StoreTaken], Field(max_length=1000)]


class Unseal(Strict):
    purpose: Code = Field(description="One of `unmasking_purpose` in `/v1/codes`")


class ReceiptRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    at: Moment
    stores: list[StoreTaken]


class RequestRead(BaseModel):
    """A request, from the day it came in to its receipts."""

    model_config = ConfigDict(from_attributes=True)

    request_id: str
    customer_id: str
    kind: Kind
    state: State
    records: list[str] = Field(
        description="All ids under which the bank knows the customer, or knew when an erasure "
        "began; empty in a list, until then"
    )
    received_at: Moment
    received_by: str = Field(description="The member of staff, or the program")
    due_at: Moment = Field(description="When it has to be answered")
    decided_at: Moment | None
    decided_by: str | None
    reason: str | None = Field(description="Why it was refused")
    readers: list[str] = Field(description="Whose receipts an erasure needs")
    awaited: list[str] = Field(description="Those of them that are missing")
    receipts: dict[str, ReceiptRead] = Field(description="What each reader did, by its name")
    closed_at: Moment | None


class RestrictedRead(BaseModel):
    """Rows that law wants kept of a customer who was erased."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    store: str
    rows: list[dict[str, object]]
    kept_until: str = Field(description="Then they are deleted")
    archived_at: Moment


class RestrictedPage(BaseModel):
    items: list[RestrictedRead]
