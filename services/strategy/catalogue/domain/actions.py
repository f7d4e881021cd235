"""Actions = strategy × product, treatments = action × channel × direction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.strategy.channels.domain import Channel, Direction
from services.strategy.products.domain import Product
from services.strategy.strategies.domain import Choice, Strategy, Wanted

NO_PRODUCT = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One strategy with one product, or with none (care, benefit)."""

    id: str
    strategy: Strategy
    product: Product | None

    @property
    def category(self) -> str | None:
        """The product's category: the action group."""
        return self.product.category if self.product else None


def actions_of(strategies: Sequence[Strategy], products: Sequence[Product]) -> list[Action]:
    """Return every action, in the order of strategy and product keys.

    Source: decisioning guide, section 1.
    """
    found: list[Action] = []
    for strategy in sorted(strategies, key=lambda s: s.key):
        offered = sorted(_products_of(strategy, products), key=lambda p: p.key)
        found += [
            Action(id=f"{strategy.key}-{product.key}", strategy=strategy, product=product)
            for product in offered
        ]
        if strategy.choice is Choice.NONE:
            action_id = f"{strategy.key}-{NO_PRODUCT}"
            found.append(Action(id=action_id, strategy=strategy, product=None))
    return found


def _products_of(strategy: Strategy, products: Sequence[Product]) -> Iterator[Product]:
    """Yield the wanted ones, or the whole shelf ("by reason", "by gap", next best)."""
    for product in products:
        if strategy.choice is Choice.ANY or any(_fits(product, w) for w in strategy.wanted):
            yield product


def _fits(product: Product, wanted: Wanted) -> bool:
    flags = {None: True, "hook": product.is_hook, "plan": product.is_plan}
    return (
        wanted.category in {None, product.category}
        and wanted.product in {None, product.key}
        and flags.get(wanted.flag, False)
    )


def treatment_id(action: str, channel: str, direction: Direction) -> str:
    """Name a treatment, such as `idle_cash-steady_30/app/in`."""
    return f"{action}/{channel}/{direction.value}"


def arenas_of(
    actions: Sequence[Action], channels: Mapping[str, Channel]
) -> dict[tuple[str, Direction], list[int]]:
    """Return, for each channel and direction, the indices of the actions that may run there."""
    arenas: dict[tuple[str, Direction], list[int]] = {}
    for index, action in enumerate(actions):
        for key in action.strategy.channels:
            channel = channels.get(key)
            for direction in sorted(channel.directions) if channel else ():
                arenas.setdefault((key, direction), []).append(index)
    return arenas
