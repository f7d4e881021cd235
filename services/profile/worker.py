"""The worker of profile: publishes, imports, rolls features, follows strategy and feedback."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from services.profile.features import service as features
from services.profile.identifiers.service import key_ring
from services.profile.jobs.service import steps
from services.profile.settings import Settings
from services.profile.timeline.service import Follower
from shared.feed import Handler, Reader, Sequencer
from shared.idempotency_keys import forget_old_keys
from shared.worker import Loop, WorkerContext, run_worker

IDLE_SECONDS = 0.4
ROLL_CHECK_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 3600.0


def build(context: WorkerContext) -> Sequence[Loop]:
    """The loops of this worker."""
    follower = Follower(context.clock)
    settings: Settings = context.settings
    ring = key_ring(settings.identifier_keys.get_secret_value())
    currency, customers = settings.bank_currency, settings.feature_chunk_customers

    async def imports() -> bool:
        return await steps.step(context.database, context.clock, ring=ring, currency=currency)

    async def runs() -> bool:
        return await features.step(context.database, context.clock, customers=customers)

    return [
        Sequencer(context.database).run,
        _reader(context, "strategy", follower.contacts()).run,
        _reader(context, "feedback", follower.outcomes()).run,
        *[lambda: _work(imports) for _ in range(settings.import_lanes)],
        lambda: _work(runs),
        lambda: _roll_daily(context),
        lambda: _keep_house(context),
    ]


def _reader(context: WorkerContext, feed: str, handler: Handler) -> Reader:
    return Reader(
        feed=feed,
        lane="main",
        handlers=[handler],
        database=context.database,
        client=context.client,
        name="profile",
    )


async def _work(step: Callable[[], Awaitable[bool]]) -> None:
    while True:
        if not await step():
            await asyncio.sleep(IDLE_SECONDS)


async def _roll_daily(context: WorkerContext) -> None:
    """Queue the roll when the bank's day changes, by the clock's own course or by a move."""
    patience = context.settings.features_patience
    while True:
        await features.roll_if_due(context.database, context.clock)
        await features.release_forgotten(context.database, context.clock, patience)
        await asyncio.sleep(ROLL_CHECK_SECONDS)


async def _keep_house(context: WorkerContext) -> None:
    while True:
        async with context.database.connection() as connection:
            await forget_old_keys(connection)
        await asyncio.sleep(HOUSEKEEPING_SECONDS)


def main() -> None:
    settings = Settings.read()
    run_worker(settings, build, migrations=Path(__file__).with_name("migrations"))


if __name__ == "__main__":
    main()
