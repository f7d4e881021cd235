from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.profile.parameters import NO_NUL, Id, Strict


class MergeCreate(Strict):
    merged: Id = Field(description="The record that becomes part of this customer")
    reason: Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=500)] = Field(
        description="Why they are one party, in words for whoever looks at it later"
    )


class Unmerge(Strict):
    merged: Id = Field(description="The record that is parted from this customer")


class MergeRead(BaseModel):
    """That a record is, or was, part of a customer."""

    model_config = ConfigDict(from_attributes=True)

    merge_id: str
    customer_id: str = Field(description="The survivor: answers and decisions bear this id")
    merged: str = Field(description="The record; asked for by its id, the survivor answers")
    merged_at: datetime
    merged_by: str
    reason: str
    undone_at: datetime | None = Field(description="Since when they are two again")
    undone_by: str | None
