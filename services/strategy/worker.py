"""The worker of strategy: `python -m services.strategy.worker`; feeds, sequencer, timers."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from services.strategy.attributes.service import attribute_handlers
from services.strategy.catalogue.service import Catalogues
from services.strategy.contacts import repository as contacts
from services.strategy.customers import service as customers
from services.strategy.decisions import repository as decisions
from services.strategy.loads.service import load_handler, loader
from services.strategy.outcomes.service import merge_handlers, outcome_handlers
from services.strategy.reservations import repository as reservations
from services.strategy.segments.service import rule_handlers
from services.strategy.settings import Settings
from services.strategy.subjects import HOLDER
from shared.feed import Reader, Sequencer
from shared.idempotency_keys import forget_old_keys
from shared.subjects import Eraser
from shared.subjects.retention import Retention
from shared.worker import WorkerContext, run_worker

TIMER_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 60.0

Loop = Callable[[], Coroutine[None, None, None]]


def loops(context: WorkerContext) -> Sequence[Loop]:
    """Return all that runs in the worker."""
    return [
        Sequencer(context.database).run,
        *(reader.run for reader in readers(context)),
        loader(context.database, context.client).run,
        eraser(context).run,
        Retention.of(context, HOLDER).run,
        lambda: expire(context),
        lambda: keep_house(context),
    ]


def readers(context: WorkerContext) -> list[Reader]:
    """Return the readers of the other services' feeds."""
    now, zone = context.clock.now, ZoneInfo(context.settings.bank_zone)
    follow = partial(Reader, database=context.database, client=context.client, name="strategy")
    features = load_handler("profile.features_run_completed.v1", now)
    memberships = load_handler("segment.scoring_run_completed.v1", now)
    return [
        follow(
            feed="profile",
            lane="safety",
            handlers=[
                *customers.safety_handlers(),
                *merge_handlers(Catalogues(), now, zone),
                Eraser.handler("profile.customer_erased.v1"),
            ],
        ),
        follow(feed="profile", lane="main", handlers=[*customers.main_handlers(), features]),
        follow(
            feed="segment",
            lane="main",
            handlers=[
                *customers.segment_handlers(),
                *attribute_handlers(now),
                *rule_handlers(),
                memberships,
            ],
        ),
        follow(feed="feedback", lane="main", handlers=outcome_handlers(Catalogues(), now, zone)),
    ]


def eraser(context: WorkerContext) -> Eraser:
    """Takes customers out who are to be erased."""
    return Eraser.of(context, HOLDER)


async def expire(context: WorkerContext) -> None:
    """Let reservations end that nobody settled: quota comes back, contacts keep counting."""
    while True:
        await asyncio.sleep(TIMER_SECONDS)
        async with context.database.transaction() as connection:
            await contacts.expire(connection, now=context.clock.now())
        async with context.database.transaction() as connection:
            await reservations.expire(connection, now=context.clock.now())


async def keep_house(context: WorkerContext) -> None:
    """Drop what nobody may ask for any more."""
    while True:
        await asyncio.sleep(HOUSEKEEPING_SECONDS)
        before = context.clock.now() - context.settings.request_memory
        async with context.database.transaction() as connection:
            await decisions.forget_requests(connection, before=before)
            await forget_old_keys(connection)


def main() -> None:
    settings = Settings.read()
    run_worker(settings, loops, migrations=Path(__file__).with_name("migrations"))


if __name__ == "__main__":
    main()
