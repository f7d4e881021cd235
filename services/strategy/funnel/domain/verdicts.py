"""The funnel: which treatments of an arena may be offered, and where each other one fell."""

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from services.strategy.catalogue.domain.compiled import NO_PRODUCT, Arena, Catalogue, Places, Truths
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
from services.strategy.gates.domain.suitability import Investor, investor_of, is_suitable
from services.strategy.products.domain import Product
from services.strategy.strategies.domain import Choice, Strategy
from services.strategy.suppressions.domain import Scope, Suppression

Verdict = Refusal | None


class Funnel:
    """What became of an arena's treatments, each verdict found when it is first asked for.

    Eligibility, applicability, suitability, consent and contact policy, in this order; nothing
    outweighs them. Without personalization applicability is skipped, since it would rank by the
    profile; the other gates stay (statement P8). A page asks only what may be shown, and of
    products only those that are left by then; an explanation asks why each of the others fell.
    """

    def __init__(self, catalogue: Catalogue, arena: Arena, situation: Situation) -> None:
        self._catalogue = catalogue
        self._arena = arena
        self._situation = situation
        self._silences = active(
            situation.customer.suppressions, channel=arena.channel.key, now=situation.now
        )
        self._is_personal = situation.mode is not Mode.NON_PERSONALIZED
        self._products: dict[int, Verdict] = {NO_PRODUCT: None}
        self._strategies: dict[int, Verdict] = {}
        self.everything = standing(situation.customer.flags, today=situation.today)
        self.marketing = marketing_verdict(catalogue, arena.channel.key, situation)
        self._treatments = _treatment_verdicts(catalogue, arena, situation, self._silences)

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """What no verdict speaks against, shape (n_treatments,)."""
        arena, shelf = self._arena, self._catalogue.shelf
        if self.everything is not None:
            return np.zeros(len(arena.actions), dtype=np.bool_)
        left = np.ones(len(arena.actions), dtype=np.bool_)
        if self.marketing is not None:
            left &= ~arena.marketing
        left[list(self._treatments)] = False
        left &= _passing(self._strategy_verdict, len(shelf.strategies), arena.strategies, left)
        left &= _passing(self._product_verdict, len(shelf.products), arena.products, left)
        return left

    def verdict(self, place: int) -> Verdict:
        """Return where a treatment fell first, or None if it is allowed."""
        return first_of(self._all_of(place))

    def hard_verdict(self, place: int) -> Verdict:
        """Return the first hard gate that refuses a treatment: applicability is none."""
        verdicts = self._all_of(place)
        return first_of(v for v in verdicts if v and v.stage is not Stage.APPLICABILITY)

    def _all_of(self, place: int) -> tuple[Verdict, ...]:
        return (
            self.everything,
            self._strategy_verdict(int(self._arena.strategies[place])),
            self._product_verdict(int(self._arena.products[place])),
            self.marketing if self._arena.marketing[place] else None,
            self._treatments.get(place),
        )

    @cached_property
    def _truths(self) -> tuple[Truths, Truths]:
        """The answers of the products' and the strategies' rules."""
        return self._catalogue.rules(self._situation.customer.attributes)

    @cached_property
    def _investor(self) -> Investor:
        rules = self._catalogue.shelf.decisioning.suitability
        return investor_of(self._situation.customer, rules, now=self._situation.now)

    def _product_verdict(self, number: int) -> Verdict:
        if number not in self._products:
            self._products[number] = self._find_product_verdict(number)
        return self._products[number]

    def _find_product_verdict(self, number: int) -> Verdict:
        catalogue, situation = self._catalogue, self._situation
        product, category = catalogue.shelf.products[number], catalogue.categories[number]
        rules, (answers, _) = catalogue.shelf.decisioning.suitability, self._truths
        return (
            product_is_eligible(
                product,
                today=situation.today,
                exhausted=situation.exhausted,
                meets_rule=answers[number],
            )
            or (category_applies(category, situation.customer) if self._is_personal else None)
            or is_suitable(
                product, category, self._investor, channel=self._arena.channel, rules=rules
            )
            or _product_silence(product, self._silences)
        )

    def _strategy_verdict(self, number: int) -> Verdict:
        if number not in self._strategies:
            self._strategies[number] = self._find_strategy_verdict(number)
        return self._strategies[number]

    def _find_strategy_verdict(self, number: int) -> Verdict:
        strategy, (_, answers) = self._catalogue.shelf.strategies[number], self._truths
        customer = self._situation.customer
        return strategy_is_eligible(strategy, today=self._situation.today) or (
            strategy_applies(strategy, customer, meets_rule=answers[number])
            if self._is_personal
            else _is_general(strategy)
        )


def first_of(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the refusal of the earliest stage; within a stage the one named first."""
    return min((v for v in verdicts if v is not None), key=lambda v: v.stage, default=None)


def _product_silence(product: Product, silences: Sequence[Suppression]) -> Verdict:
    keys: dict[Scope, str | None] = {
        Scope.PRODUCT: product.key,
        Scope.CATEGORY: product.category,
    }
    return find_suppression(silences, keys)


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


def _passing(
    verdict: Callable[[int], Verdict], count: int, numbers: Places, left: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Tell of each treatment whether its strategy or product passes, asking only for what is left.

    `numbers` are places among `count`, or `NO_PRODUCT` (-1), which is the last place here.
    """
    passes = np.zeros(count + 1, dtype=np.bool_)
    for number in set(numbers[left].tolist()):
        passes[number] = verdict(number) is None
    return passes[numbers]
