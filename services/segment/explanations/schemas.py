from collections.abc import Mapping
from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, Field

from services.segment.explanations.domain import (
    Explanation,
    PartExplained,
    PercentileExplained,
    RuleExplained,
    ScaleExplained,
    ScoreExplained,
    ServiceExplained,
    Value,
)
from services.segment.plans.domain import Words
from services.segment.scores.domain.points import DIGITS


class TextRead(BaseModel):
    zh: str = Field(description="Chinese")
    en: str = Field(description="English")

    @classmethod
    def of(cls, words: Words) -> Self:
        return cls(zh=words.zh, en=words.en)


class MoneyRead(BaseModel):
    amount: str = Field(description="With two places", pattern=r"^-?[0-9]+\.[0-9]{2}$")
    currency: str = Field(description="The bank's")


class PartRead(BaseModel):
    key: str
    zh: str = Field(description="Chinese label")
    en: str = Field(description="English label")
    weight: float = Field(description="Most points as the score is defined")
    value: str | None = Field(description="The number that is measured, in the rule language")
    rule: str | None = Field(description="Or the rule that earns all points")
    empty: float = Field(description="The measure that earns no points")
    full: float = Field(description="The measure that earns all of them")
    reads: dict[str, Value] = Field(description="What was read of the customer, by attribute")
    measure: float | None = Field(
        description="What came out; 1 where a rule holds, 0 where it does not, null if missing"
    )
    is_missing: bool = Field(description="Nothing came out, for want of what is read")
    is_left_out: bool = Field(description="For want of it the other parts stand for this one")
    most: float = Field(description="Most points for this customer; 0 if it is left out")
    points: float = Field(description="Points; those of all parts add up to the score's `points`")

    @classmethod
    def of(cls, found: PartExplained) -> Self:
        part, share = found.part, found.share
        return cls(
            key=part.key,
            zh=part.zh,
            en=part.en,
            weight=part.weight,
            value=part.value,
            rule=part.rule,
            empty=part.empty,
            full=part.full,
            reads=found.reads,
            measure=found.measure,
            is_missing=found.measure is None,
            is_left_out=share.most == 0,
            most=round(share.most, DIGITS),
            points=round(share.points, DIGITS),
        )


class ScoreExplanation(BaseModel):
    key: str = Field(description="Of the score, see `/v1/scores/{key}`")
    zh: str = Field(description="Chinese label")
    en: str = Field(description="English label")
    unit: str
    value: int | None = Field(description="`points` with a half rounded up; null: no score")
    points: float | None = Field(description="Sum of the parts")
    needs: list[str] = Field(description="Who lacks all of these attributes has no score")
    parts: list[PartRead] = Field(
        description="Of the customer's kind of party; none where there is no score"
    )

    @classmethod
    def of(cls, found: ScoreExplained) -> Self:
        score = found.score
        return cls(
            key=score.key,
            zh=score.zh,
            en=score.en,
            unit=score.unit,
            value=found.value,
            points=None if found.points is None else round(found.points, DIGITS),
            needs=list(score.needs),
            parts=[PartRead.of(part) for part in found.parts],
        )


class PercentileExplanation(BaseModel):
    key: str
    zh: str = Field(description="Chinese label")
    en: str = Field(description="English label")
    value: float | None = Field(description="From 0 to 1; null: there is nothing to compare")
    attribute: str = Field(description="What is compared")
    compared: float | None = Field(description="Its value")
    within: str = Field(description="The attribute that says with whom")
    among: str | None = Field(description="Its value")
    customers: int = Field(description="How many of these had a value when the cuts were made")

    @classmethod
    def of(cls, found: PercentileExplained) -> Self:
        percentile = found.percentile
        return cls(
            key=percentile.key,
            zh=percentile.zh,
            en=percentile.en,
            value=found.value,
            attribute=percentile.of,
            compared=found.compared,
            within=percentile.within,
            among=found.within,
            customers=found.customers,
        )


class RuleRead(BaseModel):
    level: str | None = Field(description="Key of the level; null: who has a level at all")
    rule: str | None = Field(description="Null: the level takes the rest")
    holds: bool | None = Field(description="Null: unknown, for want of what it reads")
    reads: dict[str, Value] = Field(description="What it read of the customer, by attribute")

    @classmethod
    def of(cls, found: RuleExplained) -> Self:
        return cls(level=found.level, rule=found.rule, holds=found.holds, reads=found.reads)


class HeldRead(BaseModel):
    level: str = Field(description="The level that only nightly runs move")
    below: int = Field(description="Month-ends in a row under it")
    month_end: date = Field(description="The last one that was counted")


class ScaleExplanation(BaseModel):
    key: str = Field(description="Of the scale, see `/v1/scales/{key}`")
    zh: str = Field(description="Chinese label")
    en: str = Field(description="English label")
    level: str | None = Field(
        description="By the rules; null: `where` does not hold, no rule does, or the scale has no "
        "levels for this kind of party"
    )
    where: RuleRead | None = Field(description="Who has a level at all; null: everyone")
    won: RuleRead | None = Field(description="The first rule that holds")
    before: list[RuleRead] = Field(description="The rules before it: none of them holds")
    held: HeldRead | None = Field(
        description="Of a scale with hysteresis: what stands until a night moves it"
    )

    @classmethod
    def of(cls, found: ScaleExplained) -> Self:
        held = found.held
        return cls(
            key=found.scale.key,
            zh=found.scale.zh,
            en=found.scale.en,
            level=found.level,
            where=RuleRead.of(found.where) if found.where else None,
            won=RuleRead.of(found.won) if found.won else None,
            before=[RuleRead.of(rule) for rule in found.before],
            held=HeldRead(level=held.level, below=held.below, month_end=held.month_end)
            if held
            else None,
        )


class ContributionExplanation(BaseModel):
    value_type: str | None = Field(
        description="`asset`, `incubating` or `liability`; null: nothing is known"
    )
    revenue_12m: MoneyRead | None = Field(description="What the customer brings in a year")
    cost_to_serve_12m: MoneyRead | None = Field(description="What serving the customer costs")
    risk_cost_12m: MoneyRead | None = Field(description="What is expected to be lost")
    net_contribution_12m: MoneyRead | None = Field(description="Revenue less both costs")
    details: str = Field(description="Where each part of them stands")


class ServiceExplanation(BaseModel):
    key: str = Field(description="Of the plan")
    zh: str = Field(description="Chinese label")
    en: str = Field(description="English label")
    people: TextRead = Field(description="Who looks after the customer")
    rhythm: TextRead = Field(description="How often")
    products: TextRead = Field(description="What is on offer")
    minutes_floor: int = Field(description="Minutes a year that everyone on the plan has")
    minutes_budget: int = Field(
        description="The floor, or the share of revenue less risk cost that pays minutes if more"
    )
    minutes_used: int | None = Field(description="In 12 months; null: not known")
    minutes_left: int | None = Field(description="Budget less what was used, negative: over it")
    is_over: bool = Field(
        description="More was used: cheaper channels come first; nobody is excluded"
    )

    @classmethod
    def of(cls, found: ServiceExplained) -> Self:
        plan, used = found.plan, None if found.used is None else round(found.used)
        return cls(
            key=plan.key,
            zh=plan.zh,
            en=plan.en,
            people=TextRead.of(plan.people),
            rhythm=TextRead.of(plan.rhythm),
            products=TextRead.of(plan.products),
            minutes_floor=plan.minutes,
            minutes_budget=found.budget,
            minutes_used=used,
            minutes_left=None if used is None else found.budget - used,
            is_over=used is not None and used > found.budget,
        )


class ExplanationRead(BaseModel):
    customer_id: str = Field(description="Of a record that was merged, the survivor's")
    as_of: datetime = Field(description="Business time of the features that were read")
    is_current: bool = Field(
        description="Levels and segments as stored are those explained here; false until the run "
        "that follows a change of rules has come to this customer"
    )
    cuts_run_id: str | None = Field(description="The run whose cuts the percentiles read")
    cuts_made_at: datetime | None = Field(description="When it made them")
    scores: list[ScoreExplanation]
    percentiles: list[PercentileExplanation]
    scales: list[ScaleExplanation]
    contribution: ContributionExplanation = Field(description="Whether serving them pays")
    service: ServiceExplanation | None = Field(description="Null: the customer has no tier")

    @classmethod
    def of(cls, found: Explanation, currency: str) -> Self:
        return cls(
            customer_id=found.customer_id,
            as_of=found.as_of,
            is_current=found.is_current,
            cuts_run_id=found.cuts_run_id,
            cuts_made_at=found.cuts_made_at,
            scores=[ScoreExplanation.of(each) for each in found.scores],
            percentiles=[PercentileExplanation.of(each) for each in found.percentiles],
            scales=[ScaleExplanation.of(each) for each in found.scales],
            contribution=ContributionExplanation(
                value_type=None if found.value_type is None else str(found.value_type),
                details=f"/v1/customers/{found.customer_id}/contribution",
                **_money(found.contribution, currency),
            ),
            service=ServiceExplanation.of(found.service) if found.service else None,
        )


def _money(amounts: Mapping[str, float | None], currency: str) -> dict[str, MoneyRead | None]:
    return {
        name: None if amount is None else MoneyRead(amount=f"{amount:.2f}", currency=currency)
        for name, amount in amounts.items()
    }
