"""The worker of segment: `python -m services.segment.worker`."""

import asyncio
from collections.abc import Sequence

from services.segment import seeding
from services.segment.customers.service import apply_owners
from services.segment.features.service import FeatureIntake
from services.segment.main import MIGRATIONS
from services.segment.scoring.service import Evaluators, Scoring, work
from services.segment.settings import Settings
from shared.feed import Handler, Reader, Sequencer
from shared.paths import CATALOGUE
from shared.worker import Loop, WorkerContext, run_worker

IDLE_SECONDS = 0.5
_LOCK = 0x_5C_03  # one run at a time in the whole service


def build(context: WorkerContext) -> Sequence[Loop]:
    """The loops of this worker: sequencer, reader of the profile, runs."""
    evaluators = Evaluators(context.database)
    intake = FeatureIntake(evaluators, context.clock)
    scoring = Scoring(
        database=context.database,
        clock=context.clock,
        evaluators=evaluators,
        chunk_customers=context.settings.chunk_customers,
    )

    async def follow_profile() -> None:
        await seeding.seed(context.database, CATALOGUE, now=context.clock.now())
        await profile_reader(context, intake).run()

    async def run_scoring() -> None:
        await seeding.seed(context.database, CATALOGUE, now=context.clock.now())
        await score_for_ever(scoring)

    return [Sequencer(context.database).run, follow_profile, run_scoring]


def profile_reader(
    context: WorkerContext, intake: FeatureIntake, *, wait_seconds: int | None = None
) -> Reader:
    """The reader of the profile's feed; `wait_seconds` as in `Reader`."""
    return Reader(
        feed="profile",
        lane="main",
        handlers=[
            Handler({"profile.features_changed.v1"}, intake.apply_changes),
            Handler({"profile.features_run_completed.v1"}, intake.apply_runs, intake.gather_runs),
            Handler({"profile.ownership_changed.v1"}, apply_owners),
        ],
        database=context.database,
        client=context.client,
        name="segment",
        wait_seconds=wait_seconds,
    )


async def score_for_ever(scoring: Scoring) -> None:
    """Carry out runs, one at a time among all workers of the service."""
    connection = await scoring.database.dedicated()
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        while True:
            if not await work(scoring):
                await connection.fetchval("SELECT true")  # still ours, or an error
                await asyncio.sleep(IDLE_SECONDS)
    finally:
        await connection.close()


if __name__ == "__main__":
    run_worker(Settings.read(), build, migrations=MIGRATIONS)
