"""Writing contact policies."""

import asyncpg

from services.strategy.contact_policies.domain import contact_policy_of
from services.strategy.entries.domain import Fields
from services.strategy.entries.service import Change, must_be_approved_by_another


async def check_contact_policy(_: asyncpg.Connection, change: Change) -> None:
    """Refuse an approval by the author, and what cannot be read as a policy."""
    must_be_approved_by_another(change)
    contact_policy_of(change.key, Fields(change.body))
