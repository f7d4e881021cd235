"""Decisions over HTTP."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.strategy.channels.domain import Direction
from services.strategy.funnel.domain.situation import Mode

Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
MOST_PROPOSITIONS = 20


class ContextItem(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: Key = Field(description="Such as `page`")
    value: str = Field(max_length=64, description="Such as `maturity`")


class DecisionCreate(BaseModel):
    """Ask what to offer one customer now."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Id = Field(description="The customer")
    channel: Key = Field(description="Key of a channel, such as `app`")
    direction: Direction = Field(
        default=Direction.IN, description="in: the customer came to us; out: we reach out"
    )
    placements: list[Key] = Field(
        default=[], max_length=MOST_PROPOSITIONS, description="Slots of the page, best one first"
    )
    context: list[ContextItem] = Field(
        default=[], max_length=20, description="Of this request; weighs the ranking"
    )
    limit: int | None = Field(
        default=None,
        ge=1,
        le=MOST_PROPOSITIONS,
        description="Most propositions; default: one a placement, or 3",
    )
    request_id: Id | None = Field(
        default=None, description="Your own id: sent again within 10 minutes, same answer"
    )
    dry_run: bool = Field(default=False, description="Decide, but record and announce nothing")
    personalization: bool = Field(
        default=True, description="false: rank without the profile, for this request"
    )


class Text(BaseModel):
    zh: str = Field(description="In Chinese")
    en: str = Field(description="In English")


class Content(BaseModel):
    title: Text = Field(description="Name of the product, or of the care")
    text: Text = Field(description="What to read first")
    notice: Text = Field(description="Risk notice; show it with the offer")


class Reason(BaseModel):
    code: Literal["group", "goal", "general_offer"] = Field(description="Why it is offered")
    value: str = Field(description="The group, the goal or the category")


class PropositionRead(BaseModel):
    id: str = Field(description="Travels back in outcomes")
    action: str = Field(description="`strategy-product`, or `strategy-none` for care")
    treatment: str = Field(description="`action/channel/direction`")
    strategy: str = Field(description="Key of the strategy")
    product: str | None = Field(description="Key of the product; null for care")
    category: str | None = Field(description="Its category; null for care")
    rank: int = Field(description="1 is shown first")
    placement: str | None = Field(description="The slot it was made for")
    content: Content
    reasons: list[Reason]
    expires_at: datetime = Field(description="Not to be shown after this")
    requires_assessment: bool = Field(
        description="A risk assessment must precede the order (no valid one is known)"
    )


class AsOf(BaseModel):
    """How old what was used is."""

    features: datetime | None = Field(description="Business time of the customer's features")
    memberships: datetime | None = Field(description="Business time of levels and segments")
    consents_age_seconds: float | None = Field(
        description="Consents and flags are not older than this; null: not known"
    )
    features_age_seconds: float | None = Field(
        description="What profile has told later than this long ago may be missing; null: not known"
    )
    memberships_age_seconds: float | None = Field(
        description="The same of levels and segments; a segment's rule in use holds at once"
    )
    outcomes_age_seconds: float | None = Field(description="The same of outcomes")
    catalogue_version: int
    propensity_version: int


class DecisionRead(BaseModel):
    """The answer; empty with its `cause` when nothing is allowed."""

    decision_id: str
    customer_id: str
    mode: Mode = Field(description="How the ranking was made")
    degraded: bool = Field(description="Made by the fallback, or from data known to be old")
    degraded_by: list[str] = Field(description="What was missing")
    cause: str | None = Field(description="Why there is no proposition")
    as_of: AsOf
    propositions: list[PropositionRead]


class DecisionRecord(BaseModel):
    """A decision as it was recorded."""

    decision_id: str
    customer_id: str
    at: datetime = Field(description="Business time")
    channel: str
    direction: Direction
    placement: str | None
    mode: Mode
    degraded_by: list[str]
    cause: str | None
    catalogue_version: int
    propensity_version: int
    propositions: list["ChosenRead"]


class ChosenRead(BaseModel):
    id: str
    treatment: str
    rank: int
    probability: float = Field(description="Exact probability with which this rank went to it")


class Candidate(BaseModel):
    """One treatment, and what became of it."""

    treatment: str
    action: str
    product: str | None
    rank: int | None = Field(description="Null: not chosen")
    stage: str | None = Field(description="Where it fell; null: chosen")
    code: str | None = Field(description="Why it fell; see `/v1/codes`")
    values: dict[str, str | float | bool | None] = Field(description="What it fell on")
    propensity: float = Field(description="Rate of success that was believed")
    evidence: float = Field(description="Observations behind it, the prior included")
    probability: float | None = Field(description="π of the first slot, if it was drawn for")


class Explanation(BaseModel):
    """The funnel, made again from the record."""

    decision_id: str
    customer_id: str
    mode: Mode
    is_reproduced: bool = Field(description="The same propositions came out again")
    candidates: list[Candidate] = Field(description="Every treatment of the channel")


class RecommendationQuery(BaseModel):
    """What to show a customer in one placement."""

    model_config = ConfigDict(extra="forbid")

    channel: Key = Field(default="app", description="Key of a channel")
    limit: int = Field(default=3, ge=1, le=MOST_PROPOSITIONS, description="Most propositions")
    placement: Key | None = Field(default=None, description="The slot of the page")
    personalization: bool = Field(default=True, description="false: rank without the profile")
