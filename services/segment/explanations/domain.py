"""Why a customer has the points and levels they have: what was read, and which rule it was."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from services.segment.attributes.domain import date_names, day_of
from services.segment.customers.domain import Known, LevelValue
from services.segment.percentiles.domain import Percentile
from services.segment.plans.domain import ServicePlan, ServicePlans
from services.segment.scales.domain import Held, Scale
from services.segment.scores.domain.definitions import Formula, Part, Score
from services.segment.scores.domain.points import Counted, Points, Share
from services.segment.scoring.domain.evaluator import Evaluator
from shared.rules import Expression, Ladder, Rule, compile_single, parse

REVENUE, RISK_COST = "revenue_12m", "risk_cost_12m"
CONTRIBUTION = (REVENUE, "cost_to_serve_12m", RISK_COST, "net_contribution_12m")
MINUTES = "service_minutes_12m"
VALUE_TYPE = "value_type"

Value = str | bool | int | float | None
Reads = dict[str, Value]


@dataclass(frozen=True, slots=True)
class PartExplained:
    """One part of a score; `measure` is what its value or rule gave, `reads` what that stood on."""

    part: Part
    reads: Reads
    measure: float | None
    share: Share


@dataclass(frozen=True, slots=True)
class ScoreExplained:
    """A score, the exact points behind it, and its parts; none where the customer has no score."""

    score: Score
    value: int | None
    points: float | None
    parts: tuple[PartExplained, ...]


@dataclass(frozen=True, slots=True)
class PercentileExplained:
    """A percentile, and the value that was compared with those of so many customers."""

    percentile: Percentile
    value: float | None
    compared: float | None
    within: str | None
    customers: int


@dataclass(frozen=True, slots=True)
class RuleExplained:
    """A rule of a level (None: of the scale), whether it holds, and what it read; None: unknown."""

    level: str | None
    rule: str | None
    holds: bool | None
    reads: Reads


@dataclass(frozen=True, slots=True)
class ScaleExplained:
    """A scale: the level by its rules, the rule that won, and those before it that did not hold.

    `where` is who has a level at all; `held` the level that only nights move.
    """

    scale: Scale
    level: str | None
    where: RuleExplained | None
    won: RuleExplained | None
    before: tuple[RuleExplained, ...]
    held: Held | None


@dataclass(frozen=True, slots=True)
class ServiceExplained:
    """The plan of a customer, the minutes it allows a year, and those that were used."""

    plan: ServicePlan
    budget: int
    used: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Everything that is computed of a customer, and why.

    `is_current` tells whether it is what is stored: not while a run after a change is under way.
    """

    customer_id: str
    as_of: datetime
    is_current: bool
    cuts_run_id: str | None
    cuts_made_at: datetime | None
    scores: tuple[ScoreExplained, ...]
    percentiles: tuple[PercentileExplained, ...]
    scales: tuple[ScaleExplained, ...]
    value_type: LevelValue
    contribution: Mapping[str, float | None]
    service: ServiceExplained | None


class Explainer:
    """Explains customers by one scheme; compiled once, used until the evaluator changes."""

    def __init__(self, evaluator: Evaluator, plans: ServicePlans) -> None:
        """Compile each rule of the scales, to be asked one by one."""
        scheme = evaluator.scheme
        self.evaluator = evaluator
        self._plans = plans
        self._definitions = scheme.definitions
        self._days = date_names(scheme.catalogue)
        self._formulas = [formula for layer in scheme.layers for formula in layer.scores]
        self._points = Points(self._formulas)
        ladders = {each.name: each.ladders for layer in scheme.layers for each in layer.computed}
        self._ladders = {s.key: ladders[s.stateless_key] for s in self._definitions.scales}
        wheres = {s.key: s.where for s in self._definitions.scales if s.where}
        self._wheres = {key: parse(text, scheme.catalogue) for key, text in wheres.items()}
        rules = [*self._wheres.values(), *_rules(self._ladders.values())]
        self._truths = compile_single({rule.text: rule for rule in rules})

    def explain(self, known: Known) -> Explanation:
        """Evaluate a customer, and tell why it came out so."""
        evaluation = self.evaluator.evaluate(known)
        reads: Reads = {**known.features, **evaluation.levels}
        values: dict[str, object] = dict(reads)
        values |= {name: day_of(values.get(name)) for name in self._days}
        truths = self._truths(values)
        counted = self._points.count(values)
        population = self._definitions.population
        state = known.state
        return Explanation(
            customer_id=known.customer_id,
            as_of=known.features_as_of,
            is_current=state is not None
            and (state.levels, state.segments) == (evaluation.levels, evaluation.segments),
            cuts_run_id=population.run_id,
            cuts_made_at=population.made_at,
            scores=tuple(
                _score(each, counted.get(each.score.key), reads) for each in self._formulas
            ),
            percentiles=tuple(
                self._percentile(each, reads) for each in self._definitions.percentiles
            ),
            scales=tuple(
                self._scale(scale, truths, reads, evaluation.held.get(scale.key))
                for scale in self._definitions.scales
            ),
            value_type=evaluation.levels.get(VALUE_TYPE),
            contribution={name: _number(reads.get(name)) for name in CONTRIBUTION},
            service=self._service(reads),
        )

    def _percentile(self, percentile: Percentile, reads: Reads) -> PercentileExplained:
        within = reads.get(percentile.within)
        cuts = self._definitions.population.of(percentile).get(str(within))
        return PercentileExplained(
            percentile,
            _number(reads[percentile.key]),
            _number(reads.get(percentile.of)),
            within if isinstance(within, str) else None,
            cuts.customers if cuts else 0,
        )

    def _scale(
        self, scale: Scale, truths: Mapping[str, bool | None], reads: Reads, held: Held | None
    ) -> ScaleExplained:
        ladders = self._ladders[scale.key]
        ladder = next((e for e in ladders if e.applies and truths[e.applies.text]), None)
        asked: list[RuleExplained] = []
        for level in ladder.levels if ladder else ():
            asked.append(_rule(level.key, level.rule, truths, reads))
            if asked[-1].holds:
                break
        won = asked.pop() if asked and asked[-1].holds else None
        where = self._wheres.get(scale.key)
        return ScaleExplained(
            scale,
            won.level if won else None,
            _rule(None, where, truths, reads) if where else None,
            won,
            tuple(asked),
            held,
        )

    def _service(self, reads: Reads) -> ServiceExplained | None:
        plan = self._plans.plan_of(reads)
        if plan is None:
            return None
        revenue, risk_cost = _number(reads.get(REVENUE)), _number(reads.get(RISK_COST))
        budget = self._plans.budget_of(plan, revenue=revenue, risk_cost=risk_cost)
        return ServiceExplained(plan, budget, _number(reads.get(MINUTES)))


def _rules(ladders: Iterable[Sequence[Ladder]]) -> Iterator[Rule]:
    for ladder in chain.from_iterable(ladders):
        rules = (ladder.applies, *(level.rule for level in ladder.levels))
        yield from (rule for rule in rules if rule)


def _rule(
    level: str | None, rule: Rule | None, truths: Mapping[str, bool | None], reads: Reads
) -> RuleExplained:
    if rule is None:
        return RuleExplained(level, None, holds=True, reads={})
    return RuleExplained(level, rule.text, truths[rule.text], _read(rule, reads))


def _score(formula: Formula, counted: Counted | None, reads: Reads) -> ScoreExplained:
    if counted is None:
        return ScoreExplained(formula.score, None, None, ())
    triples = zip(counted.side.parts, counted.measures, counted.shares, strict=True)
    parts = tuple(
        PartExplained(each.part, _read(each.measure, reads), measure, share)
        for each, measure, share in triples
    )
    points = None if counted.total is None else sum(share.points for share in counted.shares)
    return ScoreExplained(formula.score, counted.total, points, parts)


def _read(rule: Rule | Expression, reads: Reads) -> Reads:
    return {name: reads.get(name) for name in sorted(rule.dependencies)}


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None
