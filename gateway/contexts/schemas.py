from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.contexts.domain import Card, Wanted, Word
from shared.parts import PartMissing

Text = Annotated[str, Field(pattern=r"^[^\x00]*$", min_length=1, max_length=128)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Reference(_Strict):
    """What one of the bank's systems calls the customer."""

    system: str = Field(
        pattern=r"^[a-z][a-z0-9_]{0,63}$", description="One of `source_system` in `/v1/codes`"
    )
    reference: Text


class ContextCreate(_Strict):
    """Whom the card is about: one of an id, a phone and a reference."""

    customer_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    phone: Text | None = Field(
        default=None, description="Of the caller; that it was looked up stays on record"
    )
    reference: Reference | None = None
    channel: str | None = Field(
        default=None,
        pattern=r"^[a-z][a-z0-9_]{0,63}$",
        description="Where the talk takes place, one of `channel` in `/v1/codes`: its consent "
        "counts. Default: that of `catalogue/context.yaml`",
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(each is not None for each in (self.customer_id, self.phone, self.reference)) != 1:
            raise ValueError("name one of customer_id, phone and reference")
        return self

    def to_domain(self) -> Wanted:
        """Return whom the card is about."""
        reference = self.reference
        return Wanted(
            customer_id=self.customer_id,
            phone=self.phone,
            reference=reference and (reference.system, reference.reference),
            channel=self.channel,
        )


class WordRead(BaseModel):
    key: str
    label_zh: str
    label_en: str

    @classmethod
    def of(cls, word: Word) -> Self:
        """Show a word."""
        return cls(key=word.key, label_zh=word.zh, label_en=word.en)


class ReasonRead(WordRead):
    """One reason why nothing may be sold."""

    values: dict[str, Any] = Field(default={}, description="What it rests on, such as `until`")


class TopicRead(WordRead):
    """Something to talk about with this customer."""

    sells: bool
    is_allowed: bool
    shut_by: list[str] = Field(description="Keys of the reasons that shut it")


class ContactTouched(BaseModel):
    """A contact, and what came of it."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    channel: str | None
    kind: str = Field(description="State of the bank's contact, or `answered`: the customer spoke")
    result: str | None = Field(description="One of `outcome` in `/v1/codes`; null: none so far")


class AlertShown(BaseModel):
    """Something that staff are alerted to."""

    model_config = ConfigDict(extra="ignore")

    alert: str = Field(description="Key of its kind in `/v1/alert-kinds`, which says what to do")
    severity: str = Field(description="One of `alert_severity` in `/v1/codes`")
    raised_at: datetime


class WhoRead(BaseModel):
    """Who it is; identifiers are masked."""

    model_config = ConfigDict(extra="ignore")

    party_type: str
    name: str | None = None
    phone: str | None = None
    gender: str | None = None
    org_path: str | None = None
    rm_id: str | None = None


class ContextRead(BaseModel):
    """What to know before the first word is said."""

    customer_id: str
    now: datetime = Field(description="Business time of the card")
    channel: str = Field(description="Whose consent was looked at")
    who: WhoRead | None = Field(description="Null if profile does not answer")
    mood: WordRead | None = Field(description="By `catalogue/context.yaml`; null: not known")
    last_contacts: list[ContactTouched] = Field(description="Latest first")
    alerts: list[AlertShown] = Field(description="Those that are open, latest first")
    topics: list[TopicRead] = Field(description="Those that fit the customer")
    do_not_sell: bool = Field(description="There is a reason, or somebody could not be asked")
    reasons: list[ReasonRead] = Field(description="Every reason why nothing may be sold")
    missing: list[PartMissing] = Field(description="What could not be had, and why")

    @classmethod
    def of(cls, card: Card) -> Self:
        """Show a card."""
        return cls(
            customer_id=card.customer_id,
            now=card.now,
            channel=card.channel,
            who=None if card.who is None else WhoRead.model_validate(card.who),
            mood=None if card.mood is None else WordRead.of(card.mood),
            last_contacts=[ContactTouched.model_validate(each) for each in card.last_contacts],
            alerts=[AlertShown.model_validate(each) for each in card.alerts],
            topics=_topics(card),
            do_not_sell=bool(card.reasons),
            reasons=[
                ReasonRead(**dict(WordRead.of(each.word)), values=dict(each.values))
                for each in card.reasons
            ],
            missing=[PartMissing.model_validate(each) for each in card.missing],
        )


def _topics(card: Card) -> list[TopicRead]:
    return [
        TopicRead(
            **dict(WordRead.of(talk.topic.word)),
            sells=talk.topic.sells,
            is_allowed=not talk.shut_by,
            shut_by=list(talk.shut_by),
        )
        for talk in card.talks
    ]
