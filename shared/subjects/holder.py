"""What one service holds: its stores, what is done with each, and what only it knows of them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
from sqlalchemy import MetaData

from shared.stores import Store, stores_of
from shared.subjects.rules import Effect, Rule

Take = Callable[[asyncpg.Connection, Sequence[str]], Awaitable[int]]
"""Deals with the rows of these subjects in one store; returns how many there were."""
Prepare = Callable[[asyncpg.Connection, Sequence[str]], Awaitable[None]]
Row = dict[str, Any]

KEPT_ANSWERS = "idempotency_key"
_BLANKED_ANSWERS = """
UPDATE idempotency_key SET body = '{}'
WHERE EXISTS (SELECT FROM unnest($1::text[]) AS s
              WHERE position(convert_to('"' || s || '"', 'UTF8') in body) > 0)
"""


async def _nothing(_: asyncpg.Connection, __: Sequence[str]) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The stores of a service, each with its rule of the catalogue.

    Args:
        service: its name.
        metadata: its tables.
        rules: what the catalogue says of each store, by name.
        prepare: what has to happen, once a pass, before rows go.
        takes: how stores that are anonymised or restricted are dealt with.
        telling: types of events that tell of an erasure, and so stay as they are.
        decoders: what makes rows of a store readable, where it keeps them packed or sealed.
    """

    service: str
    metadata: MetaData
    rules: Mapping[str, Rule]
    prepare: Prepare = _nothing
    takes: Mapping[str, Take] = field(default_factory=dict[str, Take])
    telling: Sequence[str] = ()
    decoders: Mapping[str, Callable[[Row], Row]] = field(
        default_factory=dict[str, Callable[[Row], Row]]
    )

    @property
    def stores(self) -> Sequence[Store]:
        return stores_of(self.metadata)

    async def take(
        self, connection: asyncpg.Connection, store: Store, subjects: Sequence[str]
    ) -> int:
        """Do with the rows of subjects in a store what its rule says; return how many it met."""
        effect = self.rules[store.name].on_erasure
        if effect is Effect.KEEP:
            return 0
        if effect is Effect.BLANK:
            statement = f"""UPDATE {store.name} SET data = '{{}}'
                WHERE ({store.condition}) AND data::text <> '{{}}'
                  AND type <> ALL ($2::text[])"""  # noqa: S608 - our tables
            return _count(await connection.execute(statement, list(subjects), list(self.telling)))
        if store.name in self.takes:
            return await self.takes[store.name](connection, subjects)
        statement = f"DELETE FROM {store.name} WHERE {store.condition}"  # noqa: S608 - our tables
        return _count(await connection.execute(statement, list(subjects)))

    async def forget_answers(self, connection: asyncpg.Connection, subjects: Sequence[str]) -> int:
        """Blank the answers, kept for repeated requests, that name one of the subjects."""
        if KEPT_ANSWERS not in self.metadata.tables:
            return 0
        return _count(await connection.execute(_BLANKED_ANSWERS, list(subjects)))

    async def rows(self, connection: asyncpg.Connection, store: Store, subject: str) -> list[Row]:
        """Return all rows of a subject in a store, in the order of their key."""
        found = await connection.fetch(
            f"""SELECT to_jsonb(t)::text AS row FROM {store.name} AS t
                WHERE {store.condition} ORDER BY {", ".join(store.order)}""",  # noqa: S608
            [subject],
        )
        decode = self.decoders.get(store.name, _as_it_is)
        return [decode(orjson.loads(each["row"])) for each in found]


def _as_it_is(row: Row) -> Row:
    return row


def _count(status: str) -> int:
    return int(status.rsplit(maxsplit=1)[-1])
