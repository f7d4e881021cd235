from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field

from services.profile.alert_kinds.domain import kind_of
from services.profile.parameters import NO_NUL, Code, LabelRead, Strict
from services.profile.rulebooks.domain import Edition
from services.profile.vocabulary import AlertKind

Sentence = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=200)]
Severity = Annotated[
    Literal["info", "warning", "critical"],
    Field(description="How much it matters, one of `alert_severity` in `/v1/codes`"),
]
YieldsTo = Annotated[
    Code | None, Field(description="While this other alert holds, this one is not raised")
]
QuietDays = Annotated[
    int,
    Field(
        ge=0,
        le=366,
        description="One that holds again within so many days after it was cleared goes on as the "
        "same alert, its acknowledgement included",
    ),
]
SeparateConsent = Annotated[
    bool, Field(description="The customer's separate consent stands behind sensitive attributes")
]
IsActive = Annotated[bool, Field(description="False: never raised, and cleared where it was")]


class LabelWrite(Strict):
    zh: Sentence = Field(description="In Chinese")
    en: Sentence = Field(description="In English")


class AlertKindWrite(Strict):
    """A kind of alert; what changes holds for all customers from the next roll on at the latest."""

    label: LabelWrite = Field(description="What it is called")
    severity: Severity
    rule: Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=4_000)] = Field(
        description="When it holds, in the rule language, over the attributes of `/v1/attributes`"
    )
    yields_to: YieldsTo = None
    todo: LabelWrite = Field(description="What to do about it")
    shown: Annotated[list[Code], Field(max_length=20)] = Field(
        default=[], description="Attributes kept as evidence beside those that the rule reads"
    )
    quiet_days: QuietDays = 0
    separate_consent: SeparateConsent = False
    is_active: IsActive = True

    def to_domain(self, key: str) -> AlertKind:
        return kind_of({"key": key, **self.model_dump()})


class AlertKindRead(BaseModel):
    key: str
    label: LabelRead = Field(description="What it is called")
    severity: Severity
    rule: str = Field(description="When it holds, in the rule language")
    yields_to: YieldsTo
    todo: LabelRead = Field(description="What to do about it")
    shown: list[str] = Field(description="Attributes kept as evidence beside the rule's")
    quiet_days: QuietDays
    separate_consent: SeparateConsent
    is_active: IsActive
    version: int = Field(description="The ETag; 1: as shipped or as first written")
    author: str | None = Field(description="Who wrote this version; null: shipped")
    updated_at: datetime | None = Field(description="Business time; null: shipped")

    @classmethod
    def of(cls, found: Edition[AlertKind]) -> Self:
        """Show a kind."""
        kind = found.kind
        own = ("label", "todo", "shown", "version", "author", "updated_at")
        return cls(
            **{name: getattr(kind, name) for name in cls.model_fields if name not in own},
            label=LabelRead.model_validate(kind.label),
            todo=LabelRead.model_validate(kind.todo),
            shown=list(kind.shown),
            version=found.version,
            author=found.author,
            updated_at=found.updated_at,
        )
