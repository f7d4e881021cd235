"""The contact policy over HTTP: the shape of `catalogue/contact_policy.yaml`."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from services.strategy.channels.domain import Manner
from services.strategy.entries.schemas import Body, Labelled, Versioned
from services.strategy.suppressions.domain import End, Scope

TimeOfDay = Annotated[str, Field(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?|24:00)$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Count = Annotated[int, Field(ge=0, le=1_000)]
Days = Annotated[int, Field(ge=0, le=3_660)]


class QuietPeriod(Body):
    kind: Manner = Field(description="What it silences")
    days: Literal["working", "rest"] = Field(description="Rest: week-ends and holidays")
    from_: TimeOfDay = Field(alias="from", description="Quiet from here, local time")
    until: TimeOfDay = Field(description="Not quiet from here; before `from`: the next day")
    unless: Literal["appointment"] | None = Field(default=None, description="What lifts it")


class CapUpdate(Body):
    key: Key = Field(description="Name of the cap in refusals")
    channels: list[Key] = Field(default=[], max_length=50, description="Empty: all together")
    per: Literal["customer", "contact_person"] = Field(
        default="customer", description="Whose contacts are counted"
    )
    day: Count | None = Field(default=None, description="In a calendar day of the customer's zone")
    rolling_7d: Count | None = Field(default=None, description="In rolling 7 days")
    rolling_30d: Count | None = Field(default=None, description="In rolling 30 days")


class CoolOffUpdate(Body):
    outcome: Key = Field(description="What the customer answered")
    reason: Key | None = Field(default=None, description="Only with this reason")
    scope: Scope = Field(description="How much is silenced")
    channel: Literal["all", "same"] = Field(default="all", description="In which channels")
    count: int = Field(default=1, ge=1, le=100, description="How often within `window_days`")
    window_days: Days = Field(default=1, description="Counted back from the answer")
    suppress_days: Days | None = Field(default=None, description="Days of silence")
    until: Literal[End.REPORTED, End.LIFTED, End.CLOSED] | None = Field(
        default=None, description="What ends it instead"
    )
    calendar: bool = Field(default=True, description="Whole days of the customer's calendar")


class Lock(Body):
    per: list[Literal["customer", "purpose"]] = Field(default=["customer", "purpose"])
    days: Days = Field(default=7, description="Longest lock")
    released_on: Literal["result"] = Field(default="result", description="What ends it")


class HolidayPeriod(Labelled):
    from_: date = Field(alias="from", description="First day off")
    until: date = Field(description="Last day off")
    worked: list[date] = Field(default=[], max_length=10, description="Week-ends worked instead")


class HolidayYear(Body):
    year: int = Field(ge=2000, le=2200)
    provisional: bool = Field(default=False, description="The notice for it was not out")
    periods: list[HolidayPeriod] = Field(max_length=40)


class HolidaysUpdate(Body):
    country: str = Field(default="CN", pattern="^[A-Z]{2}$", description="ISO 3166")
    source: str = Field(default="", max_length=500, description="Where they are from")
    years: list[HolidayYear] = Field(default=[], max_length=50)


class ChannelOrder(Body):
    party_types: list[str] = Field(max_length=10)
    tiers: list[str] = Field(max_length=20)
    channels: list[Key] = Field(max_length=20, description="First one first")


class CallAttempts(Body):
    per_task: Count
    hours_apart: Count
    per_day: Count
    then: str = Field(max_length=64)


class SurveyLimits(Body):
    days_apart: Days
    days_after_complaint: Days
    per_year: Count
    counts_in_caps: bool


class Budget(Body):
    contact_share_of_value: float = Field(ge=0, le=1)
    benefit_share_of_margin: float = Field(ge=0, le=1)


class Never(Labelled):
    key: Key


class ContactPolicyUpdate(Labelled):
    quiet_hours: list[QuietPeriod] = Field(max_length=100, description="Bind marketing out only")
    caps: list[CapUpdate] = Field(max_length=50, description="Of persons and small businesses")
    company_caps: list[CapUpdate] = Field(default=[], max_length=50, description="Of companies")
    call_attempts: CallAttempts | None = Field(default=None, description="Of a task")
    cool_off: list[CoolOffUpdate] = Field(max_length=100, description="What an answer silences")
    survey: SurveyLimits | None = Field(default=None, description="How often we may ask")
    channel_order: list[ChannelOrder] = Field(default=[], max_length=50)
    lock: Lock = Field(default_factory=Lock, description="One channel works a customer")
    budget: Budget | None = Field(default=None, description="Shares of value and margin")
    never: list[Never] = Field(default=[], max_length=100, description="What is never done")
    holidays: HolidaysUpdate = Field(default_factory=HolidaysUpdate, description="Days of rest")
    reservation_minutes: int = Field(default=60, ge=1, le=10_080, description="Then it expires")
    longest_suppression_days: Days = Field(default=180, description="A longer one is shown")


class ContactPolicyRead(Versioned, ContactPolicyUpdate):
    """The contact policy and where this version of it came from."""
