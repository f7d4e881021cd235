"""Strategies: for whom, what, through which channels, towards which goal."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from services.strategy.entries.domain import Fields

EVERYONE = "all"
ANY_STAGE = "*"


class State(StrEnum):
    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"


class Purpose(StrEnum):
    """Service and regulatory contacts bypass caps and quiet hours and never carry an offer."""

    MARKETING = "marketing"
    SERVICE = "service"
    REGULATORY = "regulatory"


class Choice(StrEnum):
    """Where a strategy's products come from: named ones, every product on sale, or none (care)."""

    NAMED = "named"
    ANY = "any"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Products a strategy may offer: of a category or one by key, narrowed by `hook` or `plan`."""

    category: str | None = None
    product: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One play of the strategy map.

    `goal_metric` is the issue (aum, retention …), `goal_outcome` the outcome that counts as
    success within `window_days`; `groups` any of customer groups, RFM segments or `scale:level`;
    `applicability` a further rule; `lever` percent added to the priority by issue, action group
    and action together; `is_mandatory` orders among the allowed and does nothing else.
    """

    key: str
    zh: str = ""
    en: str = ""
    state: State = State.RUNNING
    purpose: Purpose = Purpose.MARKETING
    stage: str = ANY_STAGE
    groups: tuple[str, ...] = (EVERYONE,)
    applicability: str | None = None
    choice: Choice = Choice.ANY
    wanted: tuple[Wanted, ...] = ()
    channels: tuple[str, ...] = ()
    goal_metric: str = "aum"
    goal_outcome: str = "converted"
    window_days: int = 30
    lever: float = 0.0
    is_mandatory: bool = False
    starts_on: date | None = None
    ends_on: date | None = None
    script_zh: str = ""
    script_en: str = ""


def is_running_on(strategy: Strategy, day: date) -> bool:
    """Tell whether it is running on this day of the bank; both dates are inclusive."""
    started = strategy.starts_on is None or strategy.starts_on <= day
    ended = strategy.ends_on is not None and day > strategy.ends_on
    return strategy.state is State.RUNNING and started and not ended


def strategy_of(key: str, fields: Fields) -> Strategy:
    """Read a strategy from its catalogue entry."""
    goal, script, schedule = fields.inner("goal"), fields.inner("script"), fields.inner("schedule")
    choice = _choice_of(fields)
    return Strategy(
        key=key,
        zh=fields.text("zh"),
        en=fields.text("en"),
        state=State(fields.text("state", State.DRAFT)),
        purpose=Purpose(fields.text("purpose", Purpose.MARKETING)),
        stage=fields.text("stage", ANY_STAGE),
        groups=fields.texts("groups") or (EVERYONE,),
        applicability=fields.text_or_none("when"),
        choice=choice,
        wanted=_wanted_of(fields) if choice is Choice.NAMED else (),
        channels=fields.texts("channels"),
        goal_metric=goal.text("metric", "aum"),
        goal_outcome=goal.text("outcome", "converted"),
        window_days=fields.whole("window_days", 30),
        lever=sum(fields.weights("lever").values()),
        is_mandatory=fields.flag("mandatory"),
        starts_on=schedule.day("from"),
        ends_on=schedule.day("until"),
        script_zh=script.text("zh"),
        script_en=script.text("en"),
    )


def _choice_of(fields: Fields) -> Choice:
    if fields.is_text("products"):
        return Choice(fields.text("products"))
    return Choice.NAMED if fields.items("products") else Choice.NONE


def _wanted_of(fields: Fields) -> tuple[Wanted, ...]:
    return tuple(
        Wanted(
            category=wanted.text_or_none("category"),
            product=wanted.text_or_none("product"),
            flag=wanted.text_or_none("flag"),
        )
        for wanted in fields.each("products")
    )
