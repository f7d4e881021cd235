"""Strategies over HTTP: the shape of `catalogue/strategies.yaml`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from services.strategy.entries.schemas import Body, Label, Labelled, Versioned
from services.strategy.strategies.domain import Purpose, State

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Group = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}(:[a-z0-9_]{1,64})?$")]


class GoalUpdate(Body):
    metric: Literal["aum", "customers", "fee_income", "activity", "retention", "nps"] = Field(
        description="What it is to move"
    )
    number: float = Field(description="By how much, in `unit`")
    unit: Literal["share", "pp", "percent", "points", "cny"] = Field(description="Of `number`")
    days: int = Field(default=90, ge=1, le=1_000, description="By when, after entry")
    against: Literal["control", "absolute"] = Field(default="control", description="Measured how")
    outcome: Literal["clicked", "accepted", "converted"] = Field(
        default="converted", description="The answer that counts as success"
    )
    text: Label | None = Field(default=None, description="The goal in words")


class WantedUpdate(Body):
    category: Key | None = Field(default=None, description="Every product of this category")
    product: Key | None = Field(default=None, description="This product")
    flag: Literal["hook", "plan"] | None = Field(default=None, description="Only with this flag")


class LeverUpdate(Body):
    """Percent added to the priority."""

    issue: float = Field(default=0, ge=-100, le=1_000, description="For the goal")
    group: float = Field(default=0, ge=-100, le=1_000, description="For the action group")
    action: float = Field(default=0, ge=-100, le=1_000, description="For this strategy alone")


class ScheduleUpdate(Body):
    from_: date | None = Field(default=None, alias="from", description="First day, inclusive")
    until: date | None = Field(default=None, description="Last day, inclusive")


class OwnerUpdate(Body):
    squad: str = Field(max_length=64, description="Who answers for it")
    role: str = Field(max_length=64, description="In which role")


class StrategyUpdate(Labelled):
    stage: str = Field(default="*", max_length=64, description="Lifecycle stage; `*` any")
    groups: list[Group] = Field(
        default=["all"],
        min_length=1,
        max_length=50,
        description="Customer groups, RFM segments or `scale:level`; one is enough",
    )
    scenario: str = Field(default="lifecycle", max_length=64, description="Axis of the map")
    trigger: str = Field(default="entry", max_length=64, description="What starts it")
    when: str | None = Field(default=None, max_length=10_000, description="A further rule")
    goal: GoalUpdate = Field(description="A number on a metric, with date")
    products: list[WantedUpdate] | Literal["any", "none"] = Field(
        description="What it may offer; any: every product on sale; none: care"
    )
    purpose: Purpose = Field(
        default=Purpose.MARKETING, description="Only marketing may carry a product"
    )
    channels: list[Key] = Field(min_length=1, max_length=20, description="In order")
    script: Label = Field(description="The idea in one line")
    waves: list[Annotated[int, Field(ge=-400, le=400)]] = Field(
        default=[0], max_length=50, description="Days after entry, or around the date"
    )
    priority: int = Field(default=50, ge=0, le=100, description="Among campaigns; higher first")
    lever: LeverUpdate = Field(default_factory=LeverUpdate, description="Business levers")
    mandatory: bool = Field(default=False, description="First among the allowed, nothing else")
    state: State = Field(default=State.DRAFT, description="Only a running one is offered")
    schedule: ScheduleUpdate = Field(default_factory=ScheduleUpdate, description="When it runs")
    window_days: int = Field(default=30, ge=1, le=400, description="Then silence is `ignored`")
    owner: OwnerUpdate | None = Field(default=None, description="Squad and role")


class StrategyRead(Versioned, StrategyUpdate):
    """A strategy and where this version of it came from."""
