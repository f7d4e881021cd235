from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _reasonable(moment: datetime) -> datetime:
    if not _FIRST <= moment < _LAST:
        raise ValueError("between 1900 and 2200")
    return moment


AsOf = Annotated[
    Annotated[AwareDatetime, AfterValidator(_reasonable)] | None,
    Query(description="Business time to look back to; default: now"),
]


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str = Field(description="The customer")
    as_of: datetime = Field(description="Business time that the answer describes")


class LevelsRead(_Read):
    levels: dict[str, str | int | float | None] = Field(
        description="Every scale, score and percentile by its key: the level, points, a share of 0 "
        "to 1, or null where it does not apply"
    )


class SegmentsRead(_Read):
    segments: list[str] = Field(description="Keys of all segments the customer is in, sorted")
