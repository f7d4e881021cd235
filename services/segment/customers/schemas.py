from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str = Field(description="The customer")
    as_of: datetime = Field(description="Business time that the answer describes")


class LevelsRead(_Read):
    levels: dict[str, str | int | None] = Field(
        description="Every scale by its key: the level, a score, or null where it does not apply"
    )


class SegmentsRead(_Read):
    segments: list[str] = Field(description="Keys of all segments the customer is in, sorted")
