"""Fields that several slices share."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, description="The customer")]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]


def _is_a_year_of_ours(value: datetime) -> datetime:
    if not 1900 <= value.year <= 9000:
        raise ValueError("must lie between the years 1900 and 9000")
    return value.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_is_a_year_of_ours)]


class AmountRead(BaseModel):
    """Money as answered: the amount is text."""

    amount: str
    currency: str
