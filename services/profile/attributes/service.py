"""Following the attribute catalogue, as segment merges it."""

from collections.abc import Sequence

import asyncpg

from services.profile.attributes import repository
from services.profile.attributes.domain import Told, Words, words_of
from services.profile.vocabulary import attributes
from shared.feed.events import Event
from shared.feed.handlers import Handler


def handler() -> Handler:
    """Return the handler of segment's attribute catalogue."""
    return Handler(["segment.attribute_changed.v1"], _apply)


async def _apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    told = [
        Told(
            name=event.subject,
            type=data["type"],
            values=tuple(data["values"]),
            is_sensitive=data["sensitive"],
            is_deleted=data["deleted"],
        )
        for event in events
        for data in [event.data]
    ]
    await repository.put(connection, told)


async def words(connection: asyncpg.Connection) -> Words:
    """Return what rules may ask about a customer."""
    return words_of(attributes().values(), await repository.list_told(connection))
