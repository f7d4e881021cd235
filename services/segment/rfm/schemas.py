from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from services.segment.attributes.schemas import PLAIN, Label, Word

KEY = "^[a-z][a-z0-9_]{0,63}$"
Side = Literal["high", "low"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Text(_Strict):
    zh: Label = Field(description="Chinese")
    en: Label = Field(description="English")


class DimensionBody(_Strict):
    attribute: Word = Field(description="The attribute that is scored")
    unit: Word = Field(default="", description="Unit of the cuts")
    better: Literal["low", "high"] = Field(description="Which end earns the 5")
    cuts: tuple[float, float, float, float] = Field(description="Of the scores 5, 4, 3 and 2")
    high: int = Field(ge=2, le=5, description="The score from which the dimension is high")


class DimensionsBody(_Strict):
    r: DimensionBody = Field(description="Recency")
    f: DimensionBody = Field(description="Frequency")
    m: DimensionBody = Field(description="Monetary")


class CardBody(_Strict):
    m: DimensionBody = Field(description="Monetary score of a card portfolio")


class QuantileBody(_Strict):
    within: list[Word] = Field(description="Attributes that make the groups to be cut")
    high: int = Field(ge=2, le=5, description="The score from which a dimension is high")


class SegmentBody(_Strict):
    key: str = Field(pattern=KEY, description="Value of `rfm_segment`")
    high: list[Literal["r", "f", "m"]] = Field(description="High in exactly these dimensions")
    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    meaning: Text = Field(description="Who they are")
    play: Text = Field(description="What to do by default")


class ValueActivityBody(_Strict):
    key: str = Field(pattern=KEY, description="Value of `value_activity`")
    value: Side = Field(description="M")
    activity: Side = Field(description="R and F together")
    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    play: Text = Field(description="What to do by default")


class RfmUpdate(_Strict):
    """RFM as a bank cuts it."""

    where: str = Field(max_length=10_000, pattern=PLAIN, description="Who has RFM at all")
    fixed: DimensionsBody = Field(description="The scores by fixed cuts")
    card: CardBody = Field(description="Scores of card portfolios")
    quantile: QuantileBody = Field(description="The variant by quantiles")
    segments: list[SegmentBody] = Field(description="The eight segments")
    value_activity: list[ValueActivityBody] = Field(description="The four classes")


class RfmRead(RfmUpdate):
    model_config = ConfigDict(extra="ignore")

    version: int = Field(description="Counts changes; the ETag")
