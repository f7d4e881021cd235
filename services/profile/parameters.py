"""Parameters and fields that many slices share."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Self

from fastapi import Path, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9_-]{1,64}$"
CODE_PATTERN = r"^[a-z][a-z0-9_]{0,63}$"

CustomerId = Annotated[str, Path(pattern=ID_PATTERN, description="The bank's own opaque id")]
Id = Annotated[str, Field(pattern=ID_PATTERN)]
Code = Annotated[str, Field(pattern=CODE_PATTERN)]
NO_NUL = r"^[^\x00]*$"  # PostgreSQL keeps every character but this one
EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)


def _is_a_year_of_ours(value: datetime) -> datetime:
    if value < EARLIEST or value.year > 9000:
        raise ValueError("must lie between the years 1900 and 9000")
    return value


Moment = Annotated[
    AwareDatetime,
    AfterValidator(_is_a_year_of_ours),
    Field(description="RFC 3339 with an offset"),
]


Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 1, 1))]


class Strict(BaseModel):
    """A request body: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class LabelRead(BaseModel):
    """A word or a sentence as people read it."""

    model_config = ConfigDict(from_attributes=True)

    zh: str
    en: str


class Amount(Strict):
    """Money: an exact amount and its currency."""

    amount: Annotated[Decimal, Field(max_digits=14, decimal_places=2, examples=["128000.50"])]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]


class PlainAmount(Amount):
    """Money that cannot be owed: a cost, an income, a turnover."""

    amount: Annotated[Decimal, Field(ge=0, max_digits=14, decimal_places=2, examples=["128000.50"])]


class WrittenAmount(Strict):
    """Money as answered: the amount is text."""

    amount: str
    currency: str


class Written(BaseModel):
    """What a write tells."""

    event_id: str | None = Field(
        description="The change as an event, also in `Bihuan-Event`; null if nothing changed"
    )

    @classmethod
    def tell(cls, response: Response, event_id: str | None) -> Self:
        """Answer with the event, in the header too: `Bihuan-Wait-For` takes it."""
        tell(response, event_id)
        return cls(event_id=event_id)


def tell(response: Response, event_id: str | None) -> None:
    """Name the event of a write in `Bihuan-Event`: `Bihuan-Wait-For` takes it."""
    if event_id is not None:
        response.headers["Bihuan-Event"] = event_id
