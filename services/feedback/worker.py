"""The worker process of feedback: follows strategy and profile, publishes, closes in silence."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from services.feedback.customers.service import MERGES, OWNERS
from services.feedback.outcomes.service import CLOSED_AT_ONCE, Recorder
from services.feedback.settings import Settings
from services.feedback.vocabulary import vocabulary
from shared.feed import Handler, Reader, Sequencer
from shared.feed.types import Lane
from shared.worker import Loop, WorkerContext, run_worker

NEW = timedelta(minutes=10)  # far longer than a transaction that could hide a decision


def build(context: WorkerContext) -> Sequence[Loop]:
    """The loops of this worker."""
    recorder = Recorder(vocabulary=vocabulary(), currency=context.settings.bank_currency)
    return [
        Sequencer(context.database).run,
        _reader(context, "strategy", recorder.decisions()).run,
        _reader(context, "profile", OWNERS).run,
        _reader(context, "profile", MERGES, lane="safety").run,
        lambda: _settle(context, recorder),
    ]


def _reader(context: WorkerContext, feed: str, handler: Handler, *, lane: Lane = "main") -> Reader:
    return Reader(
        feed=feed,
        lane=lane,
        handlers=[handler],
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
