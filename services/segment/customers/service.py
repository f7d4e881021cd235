from collections.abc import Sequence

import asyncpg

from services.segment.customers import repository
from services.segment.customers.domain import Scope
from shared.feed import Event
from shared.tokens import Token


def scope_of(token: Token) -> Scope:
    """Whose customers a caller may see."""
    return Scope(org=token.org, rm=token.rm, customer=token.customer)


async def apply_merges(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    """Keep up with whose records are part of another customer."""
    for event in events:
        survivor = event.data["survivor"]
        if survivor is None:
            await repository.part(connection, event.subject)
        else:
            at = event.at or event.time
            await repository.merge(connection, event.subject, survivor, at=at)


async def apply_owners(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    """Keep up with who looks after customers."""
    await repository.put_owners(
        connection,
        [
            (event.data["customer_id"], event.data["org_path"] or "", event.data["rm_id"])
            for event in events
        ],
    )
