from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from services.profile.parameters import NO_NUL, Code, LabelRead, Strict
from services.profile.rulebooks.domain import Edition
from services.profile.vocabulary import TagKind, tag_kind

Sentence = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=200)]
Source = Annotated[
    Literal["person", "rule", "model"],
    Field(description="Who sets it, one of `tag_source` in `/v1/codes`; it never changes"),
]
Owner = Annotated[
    Code, Field(description="The department that answers for it, a code of the bank's own")
]
ValidDays = Annotated[
    int | None,
    Field(
        ge=1,
        le=3_660,
        description="How long it holds at most; null: until it is ended, or as "
        "long as its rule holds",
    ),
]
Ground = Annotated[
    Code, Field(description="Key of a group of `/v1/grounds`: what it may be read for")
]
RuleText = Annotated[
    Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=4_000)] | None,
    Field(
        description="When a rule's tag is borne, in the rule language, over the attributes of "
        "`/v1/attributes`; null: no rule sets it"
    ),
]
IsSensitive = Annotated[
    bool, Field(description="What it says is sensitive; it then needs separate_consent")
]
SeparateConsent = Annotated[
    bool,
    Field(description="The customer's separate consent stands behind it, and behind what it reads"),
]
ForCustomer = Annotated[bool, Field(description="The customer is shown it; false: staff alone")]
IsActive = Annotated[
    bool, Field(description="False: nobody is given it any more; a rule's is ended where it was")
]


class TagLabel(Strict):
    zh: Sentence = Field(description="In Chinese")
    en: Sentence = Field(description="In English")


class TagValue(TagLabel):
    """Something that a tag may say."""

    key: Code


class TagKindWrite(Strict):
    """A kind of tag; a changed rule holds for all from the next roll on at the latest."""

    label: TagLabel = Field(description="What it is called")
    meaning: TagLabel = Field(description="What is said of a customer who bears it")
    owner: Owner
    source: Source
    values: Annotated[list[TagValue], Field(max_length=50)] = Field(
        default=[], description="What it may say, one of these; none: it is borne or not"
    )
    valid_days: ValidDays = None
    ground: Ground
    rule: RuleText = None
    sensitive: IsSensitive = False
    separate_consent: SeparateConsent = False
    for_customer: ForCustomer = False
    is_active: IsActive = True

    def to_domain(self, key: str) -> TagKind:
        return tag_kind({"key": key, **self.model_dump()})


class TagKindRead(BaseModel):
    key: str
    label: LabelRead = Field(description="What it is called")
    meaning: LabelRead = Field(description="What is said of a customer who bears it")
    owner: Owner
    source: Source
    values: list[TagValue] = Field(description="What it may say; none: it is borne or not")
    valid_days: ValidDays
    ground: Ground
    rule: RuleText
    sensitive: IsSensitive
    separate_consent: SeparateConsent
    for_customer: ForCustomer
    is_active: IsActive
    version: int = Field(description="The ETag; 1: as shipped or as first written")
    author: str | None = Field(description="Who wrote this version; null: shipped")
    updated_at: datetime | None = Field(description="Business time; null: shipped")

    @classmethod
    def of(cls, found: Edition[TagKind]) -> Self:
        """Show a kind."""
        told = {"version": found.version, "author": found.author, "updated_at": found.updated_at}
        return cls.model_validate({**asdict(found.kind), **told})
