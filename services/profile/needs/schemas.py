from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from services.profile.money import received, written
from services.profile.needs.domain import LAST_PRIORITY, Goal, Need, NeedKind, NeedState
from services.profile.parameters import Code, Day, Moment, PlainAmount, Strict, WrittenAmount
from services.profile.vocabulary import goals, needs

Source = Annotated[
    Code, Field(description="Where it is known from, a code", examples=["rm", "need_check"])
]
StatedAt = Annotated[Moment | None, Field(description="When it was said; default: now")]


class NeedPut(Strict):
    """Something a customer needs."""

    kind: NeedKind = Field(description="`stated` by the customer, or `latent`: believed of it")
    code: str = Field(description="Key of a need of the catalogue", examples=["retirement"])
    source: Source
    confidence: float = Field(default=1, ge=0, le=1, description="How sure the source is")
    stated_at: StatedAt = None
    valid_until: Moment | None = Field(default=None, description="Then it has expired")
    resolved_at: Moment | None = Field(default=None, description="When it was met")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.stated_at is not None and (self.valid_until or self.stated_at) < self.stated_at:
            raise ValueError("valid_until lies before stated_at")
        return self

    def to_domain(self, need_id: str, now: datetime) -> Need:
        stated = self.model_dump(exclude={"stated_at"})
        return Need(need_id=need_id, stated_at=self.stated_at or now, **stated)


class NeedRead(BaseModel):
    need_id: str
    kind: NeedKind
    code: str
    zh: str = Field(description="Label of the code")
    en: str = Field(description="Label of the code")
    state: NeedState
    source: str
    confidence: float
    stated_at: Moment
    valid_until: Moment | None
    resolved_at: Moment | None

    @classmethod
    def of(cls, need: Need, now: datetime) -> Self:
        """Show a need; a code that the catalogue has dropped is its own label."""
        label = needs().get(need.code)
        return cls.model_validate(
            {
                **asdict(need),
                "zh": label.zh if label else need.code,
                "en": label.en if label else need.code,
                "state": need.state(now),
            }
        )


class GoalPut(Strict):
    """Something a customer wants to reach with money."""

    kind: str = Field(description="Key of a goal of the catalogue", examples=["education"])
    target: PlainAmount | None = Field(default=None, description="How much it takes")
    horizon: Day | None = Field(default=None, description="When it shall be reached")
    priority: int = Field(default=1, ge=1, le=LAST_PRIORITY, description="1 comes first")
    progress: float | None = Field(default=None, ge=0, le=1, description="Share that is there")
    source: Source
    stated_at: StatedAt = None
    closed_at: Moment | None = Field(default=None, description="When it was reached or given up")

    def to_domain(self, goal_id: str, currency: str, now: datetime) -> Goal:
        return Goal(
            goal_id=goal_id,
            target=received(self.target, currency, "/target"),
            stated_at=self.stated_at or now,
            **self.model_dump(exclude={"target", "stated_at"}),
        )


class GoalRead(BaseModel):
    goal_id: str
    kind: str
    zh: str = Field(description="Label of the kind")
    en: str = Field(description="Label of the kind")
    target: WrittenAmount | None
    horizon: date | None
    priority: int
    progress: float | None
    source: str
    stated_at: Moment
    closed_at: Moment | None

    @classmethod
    def of(cls, goal: Goal, currency: str) -> Self:
        """Show a goal; a kind that the catalogue has dropped is its own label."""
        label = goals().get(goal.kind)
        return cls.model_validate(
            {
                **asdict(goal),
                "zh": label.zh if label else goal.kind,
                "en": label.en if label else goal.kind,
                "target": written(goal.target, currency),
            }
        )
