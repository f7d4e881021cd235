"""Writing strategies."""

import asyncpg

from services.strategy.attributes.service import check_rule
from services.strategy.entries import repository as entries
from services.strategy.entries.domain import Fields, Kind
from services.strategy.entries.service import Change, must_be_approved_by_another
from services.strategy.strategies.domain import Choice, Purpose, strategy_of
from shared.errors import FieldError, Invalid


async def check_strategy(connection: asyncpg.Connection, change: Change) -> None:
    """Refuse offers in notices, unknown channels and rules that cannot be read."""
    must_be_approved_by_another(change)
    strategy = strategy_of(change.key, Fields(change.body))
    if strategy.purpose is not Purpose.MARKETING and strategy.choice is not Choice.NONE:
        raise Invalid(
            "Service and regulatory strategies never carry an offer: set products to none",
            code="offer_in_service_notice",
            errors=[FieldError("/products", "must be none")],
        )
    for number, channel in enumerate(strategy.channels):
        if await entries.find(connection, Kind.CHANNEL, channel) is None:
            raise Invalid(
                f"There is no channel {channel}",
                errors=[FieldError(f"/channels/{number}", "unknown channel")],
            )
    await check_rule(connection, strategy.applicability, pointer="/when")
