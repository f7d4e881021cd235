"""Writing channels."""

import asyncpg

from services.strategy.entries.service import Change, must_be_approved_by_another


async def check_channel(_: asyncpg.Connection, change: Change) -> None:
    """Refuse an approval by the author; the schema says the rest."""
    must_be_approved_by_another(change)
