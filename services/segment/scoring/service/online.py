"""Single customers, evaluated as soon as something of them changes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import anyio.to_thread
import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository as attributes
from services.segment.attributes.domain import catalogue_of
from services.segment.customers import repository as customers
from services.segment.customers.domain import Change, LevelType
from services.segment.scoring import repository
from services.segment.scoring.domain.evaluator import Evaluator, score_online
from services.segment.scoring.domain.scheme import scheme_of
from shared.database import Database
from shared.feed import NewEvent, publish_many
from shared.rules import Catalogue


class Evaluators:
    """The evaluator of the rules now in use; compiled again when they change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: Evaluator | None = None

    async def current(self, connection: asyncpg.Connection) -> tuple[Evaluator, Catalogue]:
        """The evaluator of the rules and cuts that are committed, and the attributes as seen here.

        The two differ where the caller's own transaction has declared an attribute: its values are
        to be kept, though no rule can ask for them yet.
        """
        revision = await repository.revision(connection)
        if self._current is None or self._current.scheme.definitions.revision != revision:
            async with self._database.sessions() as session:
                definitions = await repository.load_definitions(session)
            self._current = await anyio.to_thread.run_sync(
                lambda: Evaluator(scheme_of(definitions))
            )
        if self._current.scheme.definitions.revision == revision:
            return self._current, self._current.scheme.catalogue
        return self._current, catalogue_of(await attributes.list_all(connection))


async def score_customers(
    connection: asyncpg.Connection, evaluator: Evaluator, ids: Sequence[str], *, at: datetime
) -> int:
    """Evaluate customers whose row is locked; write and announce what changed."""
    known = await customers.list_known(connection, ids)
    changes = score_online(evaluator, known)
    states = await customers.write_states(connection, [change.state for change in changes])
    written = [replace(change, state=state) for change, state in zip(changes, states, strict=True)]
    await publish_many(connection, [_event_of(change, at) for change in written])
    return len(written)


def _event_of(change: Change, at: datetime) -> NewEvent:
    return NewEvent(
        type="segment.memberships_changed.v1",
        subject=change.state.customer_id,
        data=announced(change),
        at=at,
        state=True,
    )


def announced(change: Change) -> dict[str, object]:
    """A customer's state as the feed tells it."""
    return {
        "customer_id": change.state.customer_id,
        "as_of": change.state.as_of,
        "levels": change.state.levels,
        "segments": change.state.segments,
        "entered": change.entered,
        "left": change.left,
    }


async def level_types(session: AsyncSession) -> dict[str, LevelType]:
    """Every level that is computed, by name."""
    return scheme_of(await repository.load_definitions(session)).levels
