"""Runs that compare customers with each other: asked for by API, carried out by a process."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import asyncpg
import pyarrow as pa
from anyio import to_thread

from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing
from services.profile.matching import repository
from services.profile.matching.domain.columns import FIELDS, table_of
from services.profile.matching.domain.proposals import FoundBy, Proposal
from services.profile.matching.domain.runs import Failure, MatchingRun, MatchingRunState
from services.profile.matching.service.equal import propose_equal
from services.profile.vocabulary import Linkage, matching
from shared.clock import BusinessClock
from shared.database import Database

Link = Callable[[pa.Table, Linkage], list[Proposal]]

READ_AT_ONCE = 2_000
WRITTEN_AT_ONCE = 2_000
MOST_TRIES = 3


async def ask_for_run(connection: asyncpg.Connection, clock: BusinessClock) -> MatchingRun:
    """Queue a run, or return the one that is open already."""
    return await repository.add_run(connection, clock.now())


async def get_run(connection: asyncpg.Connection, run_id: str) -> MatchingRun:
    """Return a run.

    Raises:
        NoSuchMatchingRun: there is none of this id.
    """
    return await repository.get_run(connection, run_id)


async def carry_out(database: Database, clock: BusinessClock, *, ring: KeyRing, link: Link) -> None:
    """Carry the open run out, from its start however far an earlier try had come.

    Args:
        database: of the service.
        clock: of the bank.
        ring: opens identifiers, in this process's memory alone.
        link: proposes pairs of people.
    """
    run = await _begin(database, clock)
    if run is None:
        return
    model = matching().linkage
    people = [page async for page in _read(database, run.run_id, model, ring, clock)]
    async with database.transaction() as connection:
        await repository.advance_run(connection, run.run_id, state=MatchingRunState.COMPARING)
    table = pa.concat_tables([FIELDS.empty_table(), *people])
    proposals = await to_thread.run_sync(link, table, model)
    await _write(database, run.run_id, proposals, clock)


async def fail(database: Database, clock: BusinessClock, error: Failure) -> None:
    """Close the open run as failed."""
    async with database.transaction() as connection:
        run = await repository.find_open_run(connection)
        if run is not None:
            await repository.end_run(connection, run.run_id, clock.now(), error=error)


async def _begin(database: Database, clock: BusinessClock) -> MatchingRun | None:
    """Begin the open run, unless it was killed too often; it is then given up."""
    async with database.transaction() as connection:
        run = await repository.find_open_run(connection)
        if run is not None and run.tries < MOST_TRIES:
            await repository.begin_run(connection, run.run_id)
            return run
    await fail(database, clock, Failure.KILLED_TOO_OFTEN)
    return None


async def _read(
    database: Database, run_id: str, model: Linkage, ring: KeyRing, clock: BusinessClock
) -> AsyncIterator[pa.Table]:
    """Yield the people among the customers, page by page; equal ones are proposed on the way."""
    after = ""
    while True:
        async with database.transaction() as connection:
            parties = await repository.list_parties(connection, after=after, limit=READ_AT_ONCE)
            if not parties:
                return
            ids = [each.customer_id for each in parties]
            await propose_equal(connection, ids, now=clock.now(), run_id=run_id)
            borne = await identifiers.opened(connection, ring, ids)
            await repository.advance_run(
                connection, run_id, state=MatchingRunState.READING, done=len(parties)
            )
        yield table_of(
            [
                replace(each, identifiers=borne[each.customer_id])
                for each in parties
                if each.party_type in model.party_types
            ]
        )
        after = ids[-1]


async def _write(
    database: Database, run_id: str, proposals: Sequence[Proposal], clock: BusinessClock
) -> None:
    now = clock.now()
    for start in range(0, len(proposals), WRITTEN_AT_ONCE):
        async with database.transaction() as connection:
            await repository.propose(
                connection,
                proposals[start : start + WRITTEN_AT_ONCE],
                source=FoundBy.PROBABILISTIC,
                run_id=run_id,
                now=now,
            )
    async with database.transaction() as connection:
        await repository.drop_of_earlier_runs(connection, run_id)
        await repository.end_run(connection, run_id, now)
