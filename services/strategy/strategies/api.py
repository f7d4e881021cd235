"""Routes of strategies."""

from services.strategy.entries.api import entry_router
from services.strategy.entries.domain import Kind
from services.strategy.strategies.schemas import StrategyRead, StrategyUpdate
from services.strategy.strategies.service import check_strategy

router = entry_router(
    Kind.STRATEGY, "strategies", update=StrategyUpdate, read=StrategyRead, check=check_strategy
)
