"""Equal identifiers, looked for whenever a customer is written."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from services.profile.matching import repository
from services.profile.matching.domain.proposals import FoundBy, equal_pair, leading_kinds
from services.profile.vocabulary import matching


async def propose_equal(
    connection: asyncpg.Connection,
    customer_ids: Sequence[str],
    *,
    now: datetime,
    run_id: str | None = None,
) -> None:
    """Propose whoever bears the same identifiers as one of these customers; withdraw who no longer.

    The caller has written the identifiers in this transaction.
    """
    rules = matching()
    found = await repository.pairs_bearing_alike(
        connection, customer_ids, leading_kinds(rules.equal), rules.most_bearers
    )
    pairs = [equal_pair(one, other, shared, rules.equal) for one, other, shared in found]
    proposals = [pair for pair in pairs if pair is not None]
    await repository.drop_unfounded(connection, customer_ids, proposals)
    await repository.propose(
        connection, proposals, source=FoundBy.DETERMINISTIC, run_id=run_id, now=now
    )
