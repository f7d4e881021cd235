"""The funnel: which treatments of an arena may be offered, and where each other one fell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.strategy.catalogue.domain.compiled import NO_PRODUCT, Arena, Catalogue
from services.strategy.funnel.domain.situation import Mode, Situation
from services.strategy.gates.domain.applicability import category_applies, strategy_applies
from services.strategy.gates.domain.consent import may_market
from services.strategy.gates.domain.eligibility import product_is_eligible, strategy_is_eligible
from services.strategy.gates.domain.refusal import Refusal, Stage
from services.strategy.gates.domain.silence import (
    active,
    complaint_silence,
    find_suppression,
    suppressed_by,
    worn_out_actions,
)
from services.strategy.gates.domain.standing import standing
from services.strategy.gates.domain.suitability import investor_of, is_suitable
from services.strategy.products.domain import Product
from services.strategy.strategies.domain import Choice, Strategy
from services.strategy.suppressions.domain import Scope, Suppression

Verdict = Refusal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdicts:
    """What fell: everything, all marketing, single products, strategies or treatments."""

    everything: Verdict
    marketing: Verdict
    products: Sequence[Verdict]
    strategies: Sequence[Verdict]
    treatments: Mapping[int, Refusal]


@dataclass(frozen=True, slots=True)
class Funnel:
    """The verdicts on an arena's treatments; `allowed` has shape (n_treatments,)."""

    arena: Arena
    verdicts: Verdicts
    allowed: NDArray[np.bool_]

    def verdict(self, place: int) -> Verdict:
        """Return where a treatment fell first, or None if it is allowed."""
        return first_of(self._all_of(place))

    def hard_verdict(self, place: int) -> Verdict:
        """Return the first hard gate that refuses a treatment: applicability is none."""
        verdicts = self._all_of(place)
        return first_of(v for v in verdicts if v and v.stage is not Stage.APPLICABILITY)

    def _all_of(self, place: int) -> tuple[Verdict, ...]:
        verdicts, product = self.verdicts, int(self.arena.products[place])
        return (
            verdicts.everything,
            verdicts.strategies[int(self.arena.strategies[place])],
            None if product == NO_PRODUCT else verdicts.products[product],
            verdicts.marketing if self.arena.marketing[place] else None,
            verdicts.treatments.get(place),
        )


def first_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the refusal of the earliest stage; within a stage the one named first."""
    return min((v for v in verdicts if v is not None), key=lambda v: v.stage, default=None)


def funnel(catalogue: Catalogue, arena: Arena, situation: Situation) -> Funnel:
    """Send every treatment of an arena through the hard gates.

    Eligibility, applicability, suitability, consent and contact policy, in this order; nothing
    outweighs them. Without personalization applicability is skipped, since it would rank by the
    profile; the other gates stay (statement P8).
    """
    customer = situation.customer
    product_rules, strategy_rules = catalogue.rules({**customer.levels, **customer.features})
    silences = active(customer.suppressions, channel=arena.channel.key, now=situation.now)
    verdicts = Verdicts(
        everything=standing(customer.flags, today=situation.today),
        marketing=marketing_verdict(catalogue, arena.channel.key, situation),
        products=_product_verdicts(catalogue, arena, situation, product_rules, silences),
        strategies=_strategy_verdicts(catalogue, situation, strategy_rules),
        treatments=_treatment_verdicts(catalogue, arena, situation, silences),
    )
    return Funnel(arena, verdicts, _allowed(arena, verdicts))


def _product_verdicts(
    catalogue: Catalogue,
    arena: Arena,
    situation: Situation,
    answers: Sequence[bool | None],
    silences: Sequence[Suppression],
) -> list[Verdict]:
    customer, is_personal = situation.customer, situation.mode is not Mode.NON_PERSONALIZED
    rules = catalogue.shelf.decisioning.suitability
    investor = investor_of(customer, rules, now=situation.now)
    today, exhausted = situation.today, situation.exhausted
    shelf = zip(catalogue.shelf.products, catalogue.categories, answers, strict=True)
    return [
        product_is_eligible(product, today=today, exhausted=exhausted, meets_rule=meets)
        or (category_applies(category, customer) if is_personal else None)
        or is_suitable(product, category, investor, channel=arena.channel, rules=rules)
        or (_product_silence(product, silences) if silences else None)
        for product, category, meets in shelf
    ]


def _product_silence(product: Product, silences: Sequence[Suppression]) -> Verdict:
    keys: dict[Scope, str | None] = {
        Scope.PRODUCT: product.key,
        Scope.CATEGORY: product.category,
    }
    return find_suppression(silences, keys)


def _strategy_verdicts(
    catalogue: Catalogue, situation: Situation, answers: Sequence[bool | None]
) -> list[Verdict]:
    customer, is_personal = situation.customer, situation.mode is not Mode.NON_PERSONALIZED
    return [
        strategy_is_eligible(strategy, today=situation.today)
        or (
            strategy_applies(strategy, customer, meets_rule=meets)
            if is_personal
            else _is_general(strategy)
        )
        for strategy, meets in zip(catalogue.shelf.strategies, answers, strict=True)
    ]


def _is_general(strategy: Strategy) -> Verdict:
    """Care is for somebody; without a profile there is only the shelf to show."""
    if strategy.choice is Choice.NONE:
        return Refusal(Stage.APPLICABILITY, "not_general", {"strategy": strategy.key})
    return None


def marketing_verdict(catalogue: Catalogue, channel: str, situation: Situation) -> Verdict:
    """Say whether this customer may get any marketing in this channel now."""
    customer = situation.customer
    silences = active(customer.suppressions, channel=channel, now=situation.now)
    keys: dict[Scope, str | None] = {Scope.ALL: "", Scope.CHANNEL: channel}
    return (
        may_market(
            customer,
            channel,
            is_reachable=situation.is_reachable,
            is_current=situation.consent_is_current,
        )
        or complaint_silence(
            customer.complaints,
            rest_days=catalogue.shelf.policy.complaint_rest_days,
            now=situation.now,
            zone=situation.zone,
        )
        or find_suppression(silences, keys)
        or situation.held_back
    )


def _treatment_verdicts(
    catalogue: Catalogue, arena: Arena, situation: Situation, silences: Sequence[Suppression]
) -> dict[int, Refusal]:
    limit = catalogue.shelf.decisioning.impressions
    today = situation.now.astimezone(situation.zone).date()
    by_action = worn_out_actions(situation.customer, limit, today=today)
    by_action |= {s.key: suppressed_by(s) for s in silences if s.scope is Scope.ACTION}
    by_treatment = {s.key: suppressed_by(s) for s in silences if s.scope is Scope.TREATMENT}
    if not by_action and not by_treatment:
        return {}
    found = (
        (place, by_action.get(action.id) or by_treatment.get(treatment))
        for place, (action, treatment) in enumerate(
            zip(arena.actions, arena.treatments, strict=True)
        )
    )
    return {place: refusal for place, refusal in found if refusal is not None}


def _allowed(arena: Arena, verdicts: Verdicts) -> NDArray[np.bool_]:
    """Return the mask of what no verdict speaks against."""
    if verdicts.everything is not None:
        return np.zeros(len(arena.actions), dtype=np.bool_)
    # the last place answers for NO_PRODUCT (-1)
    products_pass = np.array([verdict is None for verdict in (*verdicts.products, None)])
    strategies_pass = np.array([verdict is None for verdict in verdicts.strategies])
    mask = products_pass[arena.products] & strategies_pass[arena.strategies]
    if verdicts.marketing is not None:
        mask &= ~arena.marketing
    mask[list(verdicts.treatments)] = False
    return mask
