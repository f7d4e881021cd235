"""The worker of profile: publishes, imports, rolls features, matches, follows the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg

from services.profile.assignments import service as assignments
from services.profile.attributes import service as attributes
from services.profile.conduct import service as conduct
from services.profile.consents import service as consents
from services.profile.features import service as features
from services.profile.identifiers import service as identifiers
from services.profile.identifiers.service import KeyRing, key_ring
from services.profile.identities import service as identities
from services.profile.jobs import repository as jobs
from services.profile.jobs.service import ends
from services.profile.kyc import service as kyc
from services.profile.matching import repository as matching
from services.profile.ownership import service as ownership
from services.profile.placements.service import Follower as Placements
from services.profile.rights import repository as archive
from services.profile.rights import service as rights
from services.profile.rights.domain import Receipt
from services.profile.settings import Settings
from services.profile.subjects import SERVICE, holder
from services.profile.timeline.service import Follower
from services.profile.watch import service as watch
from shared import errands
from shared.database import Database
from shared.feed import Handler, Reader, Sequencer
from shared.feed.loads import Loader
from shared.idempotency_keys import forget_old_keys
from shared.logging import log
from shared.subjects import Eraser
from shared.subjects.erasing import Receipt as Stores
from shared.subjects.retention import Retention
from shared.worker import Loop, WorkerContext, run_worker

IDLE_SECONDS = 0.4
ROLL_CHECK_SECONDS = 1.0
MATCHING_CHECK_SECONDS = 2.0
HOUSEKEEPING_SECONDS = 3600.0
SEALED = ("identifier", "source_reference", "kyc_value", "restricted")
SEALED_AT_ONCE = 500


class ProcessFailed(RuntimeError):
    """A process that the worker sent has ended with an error; its log says which."""


def build(context: WorkerContext) -> Sequence[Loop]:
    """The loops of this worker."""
    follower, places = Follower(context.clock), Placements(context.clock)
    return [
        Sequencer(context.database).run,
        _reader(context, "strategy", follower.contacts(), rights.receipts_handler()).run,
        _reader(context, "feedback", follower.outcomes(), rights.receipts_handler()).run,
        _reader(
            context,
            "segment",
            *places.handlers(),
            attributes.handler(),
            rights.receipts_handler(),
        ).run,
        loader(context).run,
        eraser(context).run,
        Retention.of(context, holder(context.settings, context.clock)).run,
        lambda: _import_for_ever(context),
        lambda: _match_for_ever(context),
        lambda: _work(partial(advance_run, context)),
        lambda: _work(partial(end_imports, context)),
        lambda: _work(partial(hand_over, context)),
        lambda: _work(partial(assign, context)),
        lambda: _work(partial(lapse_consents, context)),
        lambda: _work(partial(compare_sales, context)),
        lambda: _work(partial(expire_tags, context)),
        lambda: _roll_daily(context),
        lambda: _reseal_for_ever(context),
        lambda: _keep_house(context),
    ]


def eraser(context: WorkerContext) -> Eraser:
    """Takes customers out who are to be erased; the other services hear of it by the feed."""

    async def done(connection: asyncpg.Connection, request_id: str, stores: Stores) -> None:
        receipt = Receipt(at=context.clock.now(), stores=stores)
        await rights.acknowledge(connection, request_id, SERVICE, receipt)

    return Eraser.of(context, holder(context.settings, context.clock), done)


def loader(context: WorkerContext) -> Loader:
    """Takes over what segment's runs have changed."""
    return Placements(context.clock).loader(context.database, context.client)


async def advance_run(context: WorkerContext) -> bool:
    """Carry the oldest run of features one step further; tell whether there was one."""
    settings: Settings = context.settings
    return await features.step(
        context.database, context.clock, customers=settings.feature_chunk_customers
    )


async def end_imports(context: WorkerContext) -> bool:
    """End the imports that nothing is missing of; tell whether there was one."""
    async with context.database.transaction() as connection:
        return await ends.end(connection, context.clock.now())


async def hand_over(context: WorkerContext) -> bool:
    """Move some customers of a hand-over whose day has come; tell whether there was one."""
    return await ownership.step(context.database, context.clock)


async def assign(context: WorkerContext) -> bool:
    """Plan or apply an assignment for some customers; tell whether there was one to."""
    return await assignments.step(context.database, context.clock)


async def lapse_consents(context: WorkerContext) -> bool:
    """Withdraw some consents to what a purpose no longer means; tell whether a text was due."""
    return await consents.lapse(context.database, context.clock)


async def compare_sales(context: WorkerContext) -> bool:
    """Compare some customers' sales with their assessments; tell whether any were due."""
    return await conduct.step(context.database, context.clock)


async def expire_tags(context: WorkerContext) -> bool:
    """End some tags whose time is over; tell whether there were any."""
    return await watch.expire(context.database, context.clock)


def _reader(context: WorkerContext, feed: str, *handlers: Handler) -> Reader:
    return Reader(
        feed=feed,
        lane="main",
        handlers=handlers,
        database=context.database,
        client=context.client,
        name="profile",
    )


async def _work(step: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if not await step():
            await asyncio.sleep(IDLE_SECONDS)


async def _import_for_ever(context: WorkerContext) -> None:
    """Have imports carried out by a process of their own, whenever there are some."""
    while True:
        async with context.database.connection() as connection:
            is_due = await jobs.is_any_open(connection)
        if is_due:
            await _send(context, "services.profile.importer")
        await asyncio.sleep(IDLE_SECONDS)


async def _match_for_ever(context: WorkerContext) -> None:
    """Have duplicates looked for by a process of its own, whenever a run was asked for."""
    while True:
        async with context.database.connection() as connection:
            is_due = await matching.find_open_run(connection) is not None
        if is_due:
            await _send(context, "services.profile.matcher")
        await asyncio.sleep(MATCHING_CHECK_SECONDS)


async def _send(context: WorkerContext, program: str) -> None:
    """Start a process of ours with the business clock's offset, and wait for its end.

    Raises:
        ProcessFailed: it was killed, or could not go on; what it was at is undone.
    """
    code = await errands.send(program, str(context.clock.offset.total_seconds()))
    if code:
        raise ProcessFailed(f"{program} ended with {code}")


async def _roll_daily(context: WorkerContext) -> None:
    """Queue the roll when the bank's day changes, by the clock's own course or by a move."""
    patience = context.settings.features_patience
    while True:
        await features.roll_if_due(context.database, context.clock)
        await features.release_forgotten(context.database, context.clock, patience)
        await asyncio.sleep(ROLL_CHECK_SECONDS)


async def _reseal_for_ever(context: WorkerContext) -> None:
    """Bring under the newest key what older keys sealed, so that those can be taken away."""
    settings: Settings = context.settings
    ring = key_ring(settings.identifier_keys.get_secret_value())
    while True:
        await reseal(context.database, ring)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


async def reseal(database: Database, ring: KeyRing, *, at_once: int = SEALED_AT_ONCE) -> None:
    """Walk once over what older keys sealed or made findable, some hundred a transaction."""
    await _walk(database, partial(identifiers.make_old_searchable, ring=ring, limit=at_once), "")
    await _walk(database, partial(identifiers.reseal, ring=ring, limit=at_once), ("", ""))
    await _walk(database, partial(identities.reseal, ring=ring, limit=at_once), ("", "", ""))
    await _walk(database, partial(kyc.reseal, ring=ring, limit=at_once), ("", ""))
    await _walk(database, partial(rights.reseal, ring=ring, limit=at_once), ("", ""))
    async with database.connection() as connection:
        left = sum(
            [await identifiers.count_under_other_keys(connection, ring, each) for each in SEALED]
        )
    log.info("identifiers_resealed", left=left)


async def _walk(database: Database, step: Callable[..., Awaitable[Any]], start: object) -> None:
    """Take steps, a transaction each, from where the last one came to, until nothing is left."""
    place = start
    while place is not None:
        async with database.transaction() as connection:
            place = await step(connection, after=place)


async def _keep_house(context: WorkerContext) -> None:
    while True:
        async with context.database.connection() as connection:
            await forget_old_keys(connection)
            await archive.drop_outdated(connection, context.clock.today())
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


def main() -> None:
    settings = Settings.read()
    run_worker(settings, build, migrations=Path(__file__).with_name("migrations"))


if __name__ == "__main__":
    main()
