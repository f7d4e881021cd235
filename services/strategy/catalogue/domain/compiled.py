"""The catalogue of one version as decisions use it: values, arrays and one rule function."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.strategy.arbitration.domain.priority import (
    ContextWeight,
    Floats,
    lever,
    winsorised,
)
from services.strategy.catalogue.domain.actions import Action, actions_of, arenas_of, treatment_id
from services.strategy.catalogue.domain.decisioning import Decisioning
from services.strategy.channels.domain import Channel, Direction
from services.strategy.contact_policies.domain import ContactPolicy
from services.strategy.gates.domain.consent import needs_consent
from services.strategy.products.domain import Category, Product
from services.strategy.strategies.domain import Strategy
from shared.rules import Attribute, Rule, RuleError, compile_single, parse
from shared.rules import Catalogue as Vocabulary

Truths = tuple[bool | None, ...]
Places = NDArray[np.int64]
NO_PRODUCT = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """The treatments of one channel and direction as aligned arrays, shape (n_treatments,).

    `strategies` and `products` are places in the catalogue's tuples (`NO_PRODUCT` for care);
    `values` CNY per success within the bounds, `levers` the factor L.
    """

    channel: Channel
    direction: Direction
    actions: tuple[Action, ...]
    treatments: tuple[str, ...]
    strategies: Places
    products: Places
    values: Floats
    levers: Floats
    mandatory: NDArray[np.bool_]
    marketing: NDArray[np.bool_]
    order: Places

    def context_factors(self, weights: Sequence[ContextWeight]) -> Floats:
        """Return C of each treatment: 1 + Σ matching weights / 100."""
        factors = np.ones(len(self.actions))
        for weight in weights:
            hits = [_speaks_of(weight, action) for action in self.actions]
            factors[np.array(hits, dtype=np.bool_)] += weight.weight / 100.0
        return factors


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """All entries of one catalogue version."""

    version: int
    categories: Mapping[str, Category]
    channels: Mapping[str, Channel]
    products: tuple[Product, ...]
    strategies: tuple[Strategy, ...]
    policy: ContactPolicy
    decisioning: Decisioning
    attributes: tuple[Attribute, ...] = ()


class Catalogue:
    """A shelf made ready.

    `categories` are those of the shelf's products, in their order;
    `rules` answers every product's and every strategy's rule for one customer;
    `rule_attributes` are the names those rules read; `unreadable` says why rules no longer fit the
    attribute catalogue: their answer is unknown, so nothing that hangs on them is offered.
    """

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self.version = shelf.version
        self.actions = tuple(actions_of(shelf.strategies, shelf.products))
        self.action_by_id = {action.id: action for action in self.actions}
        self.categories = tuple(self.category_of(product) for product in shelf.products)
        self.product_by_key = {product.key: product for product in shelf.products}
        self.strategy_by_key = {strategy.key: strategy for strategy in shelf.strategies}
        self.arenas = {
            place: _arena(shelf, [self.actions[index] for index in indices], *place)
            for place, indices in arenas_of(self.actions, shelf.channels).items()
        }
        rules, self.unreadable = _parsed(shelf)
        self.rule_attributes = tuple(sorted({n for r in rules.values() for n in r.dependencies}))
        self._evaluate = compile_single(rules)
        self._product_rules = tuple(_product_rule(product) for product in shelf.products)
        self._strategy_rules = tuple(_strategy_rule(strategy) for strategy in shelf.strategies)

    def rules(self, attributes: Mapping[str, object]) -> tuple[Truths, Truths]:
        """Return the answers of the products' and the strategies' rules; no rule is a yes."""
        answers = {**self._evaluate(attributes), **dict.fromkeys(self.unreadable)}
        return (
            tuple([answers.get(name, True) for name in self._product_rules]),
            tuple([answers.get(name, True) for name in self._strategy_rules]),
        )

    def category_of(self, product: Product) -> Category:
        """Return the product's category; an unknown one is taken to be under suitability."""
        known = self.shelf.categories.get(product.category)
        return known or Category(key=product.category, under_suitability=True)

    def channel(self, key: str) -> Channel | None:
        """Return a channel, if there is one of this key."""
        return self.shelf.channels.get(key)


def _product_rule(product: Product) -> str:
    return f"product {product.key}"


def _strategy_rule(strategy: Strategy) -> str:
    return f"strategy {strategy.key}"


def _parsed(shelf: Shelf) -> tuple[dict[str, Rule], dict[str, str]]:
    vocabulary = Vocabulary(shelf.attributes)
    texts = {_product_rule(p): p.eligibility for p in shelf.products}
    texts |= {_strategy_rule(s): s.applicability for s in shelf.strategies}
    rules: dict[str, Rule] = {}
    faults: dict[str, str] = {}
    for name, text in texts.items():
        try:
            if text:
                rules[name] = parse(text, vocabulary)
        except RuleError as error:
            faults[name] = str(error)
    return rules, faults


def _arena(shelf: Shelf, actions: list[Action], channel: str, direction: Direction) -> Arena:
    products = {product.key: place for place, product in enumerate(shelf.products)}
    strategies = {strategy.key: place for place, strategy in enumerate(shelf.strategies)}
    rules = shelf.decisioning.priority
    values = np.array([_value(action, shelf.decisioning) for action in actions])
    levers = [lever(a.strategy.lever, a.strategy.goal_metric, a.category, rules) for a in actions]
    return Arena(
        channel=shelf.channels[channel],
        direction=direction,
        actions=tuple(actions),
        treatments=tuple(treatment_id(a.id, channel, direction) for a in actions),
        strategies=np.array([strategies[a.strategy.key] for a in actions], dtype=np.int64),
        products=np.array(
            [products[a.product.key] if a.product else NO_PRODUCT for a in actions],
            dtype=np.int64,
        ),
        values=winsorised(values, rules),
        levers=np.array(levers),
        mandatory=np.array([a.strategy.is_mandatory for a in actions]),
        marketing=np.array([needs_consent(a.strategy.purpose) for a in actions]),
        order=_alphabetical(actions),
    )


def _alphabetical(actions: Sequence[Action]) -> Places:
    """Return the rank of each action by issue, action group and id: the order of ties."""
    keys = [(a.strategy.goal_metric, a.category or "", a.id) for a in actions]
    ranks = {key: rank for rank, key in enumerate(sorted(keys))}
    return np.array([ranks[key] for key in keys], dtype=np.int64)


def _value(action: Action, decisioning: Decisioning) -> float:
    return action.product.value_cny if action.product else decisioning.care_value_cny


def _speaks_of(weight: ContextWeight, action: Action) -> bool:
    product = action.product.key if action.product else None
    return (
        weight.category in {None, action.category}
        and weight.strategy in {None, action.strategy.key}
        and weight.product in {None, product}
    )
