from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.profile.identifiers.domain import Kind
from services.profile.parameters import Code, Moment, Strict


class Reading(Strict):
    purpose: Code = Field(
        description="What for, one of `unmasking_purpose` in `/v1/codes`; kept with your name"
    )


class Unmask(Reading):
    fields: Annotated[list[Kind], Field(min_length=1, description="Only those that are needed")]


class UnmaskingRead(BaseModel):
    """That somebody read a customer's identifiers in plain text; the identifiers are not told."""

    model_config = ConfigDict(from_attributes=True)

    unmasking_id: str
    customer_id: str
    at: Moment
    actor: str = Field(description="The member of staff, or the client where none was named")
    client_id: str = Field(description="The program that asked")
    purpose: str = Field(description="One of `unmasking_purpose` in `/v1/codes`")
    fields: list[str] = Field(description="The kinds of identifiers asked for")
