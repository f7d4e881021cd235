"""The worker process of feedback: follows strategy and profile, publishes, closes in silence."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.feedback.customers.service import MERGES, OWNERS
from services.feedback.outcomes.service import CLOSED_AT_ONCE, Recorder
from services.feedback.settings import Settings
from services.feedback.subjects import HOLDER
from services.feedback.vocabulary import vocabulary
from shared.feed import Handler, Reader, Sequencer
from shared.feed.types import Lane
from shared.subjects import Eraser
from shared.subjects.retention import Retention
from shared.worker import Loop, WorkerContext, run_worker

ERASURES = Eraser.handler("profile.customer_erased.v1")
NEW = timedelta(minutes=10)  # far longer than a transaction that could hide a decision


def build(context: WorkerContext) -> Sequence[Loop]:
    """The loops of this worker."""
    recorder = Recorder(vocabulary=vocabulary(), currency=context.settings.bank_currency)
    return [
        Sequencer(context.database).run,
        _reader(context, "strategy", recorder.decisions()).run,
        _reader(context, "profile", OWNERS).run,
        _reader(context, "profile", MERGES, ERASURES, lane="safety").run,
        eraser(context).run,
        Retention.of(context, HOLDER).run,
        lambda: _settle(context, recorder),
    ]


def eraser(context: WorkerContext) -> Eraser:
    """Takes customers out who are to be erased."""
    return Eraser.of(context, HOLDER)


def _reader(context: WorkerContext, feed: str, *handlers: Handler, lane: Lane = "main") -> Reader:
    return Reader(
        feed=feed,
        lane=lane,
        handlers=handlers,
        database=context.database,
        client=context.client,
        name="feedback",
    )


async def _settle(context: WorkerContext, recorder: Recorder) -> None:
    """Close what passed in silence, and link outcomes that met their decision in the doorway.

    Report and decision may be stored at the same moment, neither seeing the other: look at all
    once, then at those that are new.
    """
    since: datetime | None = None
    while True:
        now = context.clock.now()
        async with context.database.transaction() as connection:
            await recorder.link(connection, since=since)
            closed = await recorder.close_silent(connection, now=now)
        since = now - NEW
        if closed < CLOSED_AT_ONCE:
            await asyncio.sleep(context.settings.closing_pause.total_seconds())


def main() -> None:
    settings = Settings.read()
    run_worker(settings, build, migrations=Path(__file__).with_name("migrations"))


if __name__ == "__main__":
    main()
