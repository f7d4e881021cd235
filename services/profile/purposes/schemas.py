from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.profile.parameters import NO_NUL, LabelRead, Moment, Strict
from services.profile.purposes.domain import Purpose, State, Text
from services.profile.purposes.service import Meaning

Sentence = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=2000)]
TextVersion = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]


class MeaningWrite(Strict):
    """What the data are used for, in the words that customers are shown."""

    zh: Sentence
    en: Sentence


class ConsentTextWrite(Strict):
    text_version: TextVersion = Field(description="The bank's own name for the text")
    meaning: MeaningWrite
    since: Moment | None = Field(
        default=None,
        description="When customers are first shown it; at the earliest, and by default, ten "
        "minutes after it is accepted",
    )
    needs_new_consent: bool = Field(
        description="True: the purpose means more than before, so older consents lapse"
    )
    lapses_at: Moment | None = Field(
        default=None,
        description="Until when consents given before `since` go on counting, to have time to "
        "ask anew; default: `since`",
    )

    @model_validator(mode="after")
    def _lapses_only_if_needed(self) -> Self:
        if self.lapses_at is not None and not self.needs_new_consent:
            raise ValueError("nothing lapses unless needs_new_consent is true")
        return self

    def to_domain(self, purpose: Purpose, *, by: str, now: Moment) -> Text:
        return Text(
            purpose=purpose,
            text_version=self.text_version,
            meaning_zh=self.meaning.zh,
            meaning_en=self.meaning.en,
            needs_new_consent=self.needs_new_consent,
            since=self.since or now,
            lapses_at=self.lapses_at,
            state=State.PROPOSED,
            proposed_by=by,
            proposed_at=now,
        )


class ConsentTextRead(BaseModel):
    """A text of a purpose, and how far consents to older ones have lapsed."""

    model_config = ConfigDict(from_attributes=True)

    text_version: str
    meaning: LabelRead
    since: Moment = Field(description="From when on customers are shown it")
    needs_new_consent: bool
    lapses_at: Moment | None = Field(
        description="From when on consents given until `since` do not count; null: they do"
    )
    state: State
    proposed_by: str
    proposed_at: Moment
    decided_by: str | None
    decided_at: Moment | None
    lapsed: int = Field(description="Customers whose older consent has been withdrawn so far")
    lapsed_at: Moment | None = Field(description="When the last of them was; null: not all yet")

    @classmethod
    def of(cls, text: Text) -> Self:
        meaning = LabelRead(zh=text.meaning_zh, en=text.meaning_en)
        told = {name: getattr(text, name) for name in cls.model_fields if name != "meaning"}
        return cls(meaning=meaning, **told)


class ConsentPurposeRead(BaseModel):
    """What a purpose has meant since when."""

    purpose: Purpose
    text_version: str | None = Field(
        description="The text to show now; null: the bank has registered none, and takes any"
    )
    texts: list[ConsentTextRead] = Field(description="All texts, the oldest first")

    @classmethod
    def of(cls, found: Meaning) -> Self:
        return cls(
            purpose=found.purpose,
            text_version=found.text and found.text.text_version,
            texts=[ConsentTextRead.of(each) for each in found.texts],
        )


class ConsentPurposesRead(BaseModel):
    items: list[ConsentPurposeRead]
