from collections.abc import Sequence

import asyncpg

from services.feedback.customers import repository
from services.feedback.customers.domain import Scope
from shared.errors import NotFound
from shared.feed import Event, Handler
from shared.tokens import Token


def scope_of(token: Token) -> Scope:
    """Whose customers a caller may see."""
    return Scope(customer=token.customer, org=token.org, rm=token.rm)


async def must_see(connection: asyncpg.Connection, customer_id: str, scope: Scope) -> list[str]:
    """Return all records of a customer; those outside the scope are hidden.

    Raises:
        NotFound: if this one lies outside.
    """
    if not await repository.list_seen(connection, [customer_id], scope):
        raise NotFound(f"No customer {customer_id}")
    return await repository.records_of(connection, customer_id)


async def _apply_owners(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    await repository.put_owners(
        connection,
        [(event.subject, event.data["org_path"], event.data["rm_id"]) for event in events],
    )


async def _apply_merges(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    survivors = {event.subject: event.data["survivor"] for event in events}
    await repository.set_survivors(connection, list(survivors.items()))


MERGES = Handler(["profile.customers_merged.v1"], _apply_merges)
OWNERS = Handler(["profile.ownership_changed.v1"], _apply_owners)
