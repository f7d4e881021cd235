"""The numbers a decision is made with, all of them data of the bank."""

from dataclasses import dataclass, field

from services.strategy.arbitration.domain.exploration import ExplorationRules
from services.strategy.arbitration.domain.priority import ContextWeight, PriorityRules
from services.strategy.entries.domain import Fields
from services.strategy.gates.domain.silence import ImpressionLimit
from services.strategy.gates.domain.suitability import SuitabilityRules
from services.strategy.propensities.domain import PropensityRules


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisioning:
    """Rules of suitability, priority, exploration and learning; see each for its units.

    `care_value_cny` is what success without a product is worth; `expires_after_minutes` how long
    a proposition may be shown; `held_once` the categories nobody needs twice.
    """

    suitability: SuitabilityRules = field(default_factory=SuitabilityRules)
    priority: PriorityRules = field(default_factory=PriorityRules)
    exploration: ExplorationRules = field(default_factory=ExplorationRules)
    propensity: PropensityRules = field(default_factory=PropensityRules)
    impressions: ImpressionLimit = field(default_factory=ImpressionLimit)
    care_value_cny: float = 100.0
    expires_after_minutes: int = 1440
    held_once: frozenset[str] = frozenset()


def decisioning_of(fields: Fields) -> Decisioning:
    """Read the rules from their catalogue entry; what is left out keeps its default."""
    return Decisioning(
        suitability=_suitability(fields.inner("suitability")),
        priority=_priority(fields.inner("priority")),
        exploration=_exploration(fields.inner("exploration")),
        propensity=_propensity(fields.inner("propensity")),
        impressions=_impressions(fields.inner("impressions")),
        care_value_cny=fields.number("care_value", Decisioning.care_value_cny),
        expires_after_minutes=fields.whole("expires_after_minutes", 1440),
        held_once=frozenset(fields.texts("held_once")),
    )


def _suitability(fields: Fields) -> SuitabilityRules:
    usual = SuitabilityRules()
    return SuitabilityRules(
        class_without_assessment=fields.whole(
            "class_without_assessment", usual.class_without_assessment
        ),
        aged_from=fields.whole("aged_from", usual.aged_from),
        aged_highest=fields.whole("aged_highest", usual.aged_highest),
        aged_remote_highest=fields.whole("aged_remote_highest", usual.aged_remote_highest),
        means=fields.texts("means") or usual.means,
        means_share=fields.number("means_share", usual.means_share),
        means_free_cny=fields.number("means_free", usual.means_free_cny),
    )


def _priority(fields: Fields) -> PriorityRules:
    usual = PriorityRules()
    return PriorityRules(
        lowest_value_cny=fields.number("lowest_value", usual.lowest_value_cny),
        highest_value_cny=fields.number("highest_value", usual.highest_value_cny),
        issue_levers=fields.weights("issue_levers"),
        group_levers=fields.weights("group_levers"),
        context_weights=tuple(
            ContextWeight(
                key=weight.text("key"),
                value=weight.text("value"),
                weight=weight.number("weight"),
                category=weight.text_or_none("category"),
                strategy=weight.text_or_none("strategy"),
                product=weight.text_or_none("product"),
            )
            for weight in fields.each("context_weights")
        ),
        switched_off=frozenset(fields.texts("switched_off")),
    )


def _exploration(fields: Fields) -> ExplorationRules:
    usual = ExplorationRules()
    return ExplorationRules(
        shortlist=fields.whole("shortlist", usual.shortlist),
        draws=fields.whole("draws", usual.draws),
        floor=fields.number("floor", usual.floor),
        optimism=fields.number("optimism", usual.optimism),
    )


def _propensity(fields: Fields) -> PropensityRules:
    usual = PropensityRules()
    return PropensityRules(
        base_rate=fields.number("base_rate", usual.base_rate),
        prior_weight=fields.number("prior_weight", usual.prior_weight),
        half_life_days=fields.number("half_life_days", usual.half_life_days),
    )


def _impressions(fields: Fields) -> ImpressionLimit:
    usual = ImpressionLimit()
    return ImpressionLimit(
        count=fields.whole("count", usual.count), days=fields.whole("days", usual.days)
    )
