"""Following the rules of segment's segments, and holding them ready for decisions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import anyio.to_thread
import asyncpg

from services.strategy.customers.domain import Customer
from services.strategy.segments import repository
from services.strategy.segments.domain import SegmentRules
from shared.feed import Event, Handler
from shared.logging import log
from shared.rules import Attribute, Catalogue


def rule_handlers() -> list[Handler]:
    """Return the handler of segments' rules."""
    return [Handler(["segment.segment_changed.v1"], _apply)]


async def _apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    await repository.put(
        connection, [(event.subject, event.data["rule"], event.version or 0) for event in events]
    )


@dataclass(frozen=True, slots=True)
class Segmentation:
    """The rules of one moment: `head` of the table, `words` that rules may use."""

    head: int
    words: tuple[Attribute, ...]
    rules: SegmentRules

    def placed(self, customer: Customer) -> Customer:
        """Return the customer with the segments that the rules say."""
        segments = self.rules.segments_of(customer)
        return customer if segments == customer.segments else replace(customer, segments=segments)


async def current(
    connection: asyncpg.Connection, words: tuple[Attribute, ...], held: Segmentation | None
) -> Segmentation:
    """Return the rules as they stand now; `held` itself if nothing has changed since."""
    head = await repository.head(connection)
    if held is not None and (held.head, held.words) == (head, words):
        return held
    texts = await repository.list_rules(connection)
    rules = await anyio.to_thread.run_sync(partial(SegmentRules, texts, Catalogue(words)))
    for key, reason in rules.unreadable.items():
        log.warning("segment_unreadable", segment=key, reason=reason)
    return Segmentation(head, words, rules)
