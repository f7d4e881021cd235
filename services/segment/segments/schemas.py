from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.segment.attributes.schemas import PLAIN, Label, Word
from services.segment.segments.domain import SegmentDraft, SegmentState

KEY = "^[a-z][a-z0-9_]{0,63}$"
MAX_RULE = 10_000


class RulePreview(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rule: str = Field(min_length=1, max_length=MAX_RULE, description="The rule to try")


class SegmentUpdate(BaseModel):
    """A segment as its author writes it."""

    model_config = ConfigDict(extra="forbid")

    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    rule: str = Field(
        min_length=1,
        max_length=MAX_RULE,
        pattern=PLAIN,
        description="SQL condition over the attribute catalogue; missing values follow SQL, so "
        "`x != 1` does not take those without x",
    )
    family: Word = Field(default="", description="Where it belongs")
    separate_consent: bool = Field(
        default=False, description="A separate consent stands behind sensitive attributes"
    )

    def to_draft(self, key: str) -> SegmentDraft:
        """The draft of this key."""
        return SegmentDraft(key=key, **self.model_dump(exclude={"key"}))


class SegmentCreate(SegmentUpdate):
    key: str = Field(pattern=KEY, description="The name it keeps")


class SegmentRead(SegmentCreate):
    model_config = ConfigDict(from_attributes=True)

    canonical: str = Field(description="The one spelling of the rule as written")
    state: SegmentState = Field(description="`changed`: another rule is in use than is written")
    version: int = Field(description="Counts changes; the ETag")
    author: str = Field(description="Who wrote this version")
    changed_at: datetime = Field(description="When")
    published_rule: str | None = Field(description="The rule in use")
    published_version: int | None = Field(description="Its version")
    published_at: datetime | None = Field(description="Since when")
    approver: str | None = Field(description="Who published it")


class PreviewRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    as_of: datetime = Field(description="Business time of the answer")
    customers: int = Field(description="Customers of the bank")
    evaluated: int = Field(description="Customers asked; a sample of a large bank")
    members: int = Field(description="Customers the rule takes, scaled up from the sample")
    share: float = Field(description="Of those evaluated, 0 to 1")
    examples: list[str] = Field(description="Some of them")
    canonical: str = Field(description="The one spelling of the rule")
    reads: list[str] = Field(description="Attributes that the rule reads")


class MemberRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str = Field(description="The customer")
    as_of: datetime = Field(description="Business time of the evaluation that this rests on")


class MembersAmong(BaseModel):
    """Some customers; in the answer those of them who are members."""

    model_config = ConfigDict(extra="forbid")

    customer_ids: Annotated[
        list[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]],
        Field(max_length=1_000, description="Of a record that was merged, the survivor's"),
    ]
