"""The worker of segment: `python -m services.segment.worker`."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from services.segment import seeding
from services.segment.attributes.service import apply_declared
from services.segment.clusterings import repository as clusterings
from services.segment.customers.service import apply_merges, apply_owners
from services.segment.features.service.following import FeatureIntake
from services.segment.scoring.service import requests
from services.segment.scoring.service.online import Evaluators
from services.segment.settings import Settings
from services.segment.subjects import HOLDER
from shared import errands
from shared.clock import BusinessClock
from shared.database import Database
from shared.feed import Handler, Reader, Sequencer
from shared.paths import CATALOGUE
from shared.subjects import Eraser
from shared.subjects.retention import Retention
from shared.worker import Loop, WorkerContext, run_worker

IDLE_SECONDS = 0.25
CLUSTERING_CHECK_SECONDS = 2.0
_LOCK = 0x_5C_03  # one run at a time in the whole service


class ScorerFailed(RuntimeError):
    """The process that carries runs out has ended with an error; its log says which."""


class ClustererFailed(RuntimeError):
    """The process that clusters has ended with an error; its log says which."""


def build(context: WorkerContext) -> Sequence[Loop]:
    """The loops of this worker: sequencer, reader of the profile, runs."""
    intake = FeatureIntake(Evaluators(context.database), context.clock)

    async def follow_profile() -> None:
        await seeding.seed(context.database, CATALOGUE, now=context.clock.now())
        await profile_reader(context, intake).run()

    async def run_scoring() -> None:
        await seeding.seed(context.database, CATALOGUE, now=context.clock.now())
        await score_for_ever(context.database, context.clock)

    safety = safety_reader(context)
    retention = Retention.of(context, HOLDER)
    return [
        *(Sequencer(context.database).run, follow_profile, safety.run, run_scoring),
        *(eraser(context).run, retention.run, lambda: cluster_for_ever(context)),
    ]


def profile_reader(
    context: WorkerContext, intake: FeatureIntake, *, wait_seconds: int | None = None
) -> Reader:
    """The reader of the profile's feed; `wait_seconds` as in `Reader`."""
    return Reader(
        feed="profile",
        lane="main",
        handlers=[
            Handler({"profile.feature_declared.v1"}, apply_declared),
            Handler({"profile.features_changed.v1"}, intake.apply_changes),
            Handler({"profile.features_run_completed.v1"}, intake.note_runs),
            Handler({"profile.ownership_changed.v1"}, apply_owners),
        ],
        database=context.database,
        client=context.client,
        name="segment",
        wait_seconds=wait_seconds,
    )


def eraser(context: WorkerContext) -> Eraser:
    """Takes customers out who are to be erased."""
    return Eraser.of(context, HOLDER)


def safety_reader(context: WorkerContext) -> Reader:
    """The reader of who was merged into whom, and of whom to forget."""
    return Reader(
        feed="profile",
        lane="safety",
        handlers=[
            Handler({"profile.customers_merged.v1"}, apply_merges),
            Eraser.handler("profile.customer_erased.v1"),
        ],
        database=context.database,
        client=context.client,
        name="segment",
    )


async def score_for_ever(database: Database, clock: BusinessClock) -> None:
    """Have runs carried out, by one process at a time among all workers of the service."""
    connection = await database.dedicated()
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
        while True:
            if await requests.is_due(database, clock):
                await run_scorer(database, clock)
            await connection.fetchval("SELECT true")  # still ours, or an error
            await asyncio.sleep(IDLE_SECONDS)
    finally:
        await connection.close()


async def run_scorer(database: Database, clock: BusinessClock) -> None:
    """Start the process that carries out what is due, and wait for its end.

    Raises:
        ScorerFailed: it was killed, or a run failed; either counts as a try of that run.
    """
    code = await errands.send("services.segment.scorer", str(clock.offset.total_seconds()))
    if code < 0:
        reason = f"its process was ended by {signal.Signals(-code).name}"
        await requests.note_death(database, reason, now=clock.now())
    if code:
        raise ScorerFailed(f"the scorer ended with {code}")


async def cluster_for_ever(context: WorkerContext) -> None:
    """Have clusterings carried out by a process of their own, whenever a run was asked for."""
    while True:
        async with context.database.connection() as connection:
            is_due = await clusterings.find_next(connection) is not None
        if is_due:
            await run_clusterer(context.clock)
        await asyncio.sleep(CLUSTERING_CHECK_SECONDS)


async def run_clusterer(clock: BusinessClock) -> None:
    """Start the process that carries clusterings out, and wait for its end.

    Raises:
        ClustererFailed: it was killed, or could not go on; the run it was at begins again.
    """
    code = await errands.send("services.segment.clusterer", str(clock.offset.total_seconds()))
    if code:
        raise ClustererFailed(f"the clusterer ended with {code}")


def main() -> None:
    settings = Settings.read()
    run_worker(settings, build, migrations=Path(__file__).with_name("migrations"))


if __name__ == "__main__":
    main()
