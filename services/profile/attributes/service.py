"""Following the attribute catalogue, as segment merges it."""

from collections.abc import Sequence

import asyncpg

from services.profile.attributes import repository
from services.profile.attributes.domain import Told, words_of
from services.profile.vocabulary import attributes
from shared.feed.events import Event
from shared.feed.handlers import Handler
from shared.rules import Catalogue


def handler() -> Handler:
    """Return the handler of segment's attribute catalogue."""
    return Handler(["segment.attribute_changed.v1"], _apply)


async def _apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    told = [
        Told(event.subject, data["type"], tuple(data["values"]), data["deleted"])
        for event in events
        for data in [event.data]
    ]
    await repository.put(connection, told)


async def words(connection: asyncpg.Connection) -> Catalogue:
    """Return what rules may ask about a customer."""
    return words_of(attributes().values(), await repository.list_told(connection))
