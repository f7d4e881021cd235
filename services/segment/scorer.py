"""The process that carries runs out: `python -m services.segment.scorer OFFSET`.

The worker starts it when a run is due, with the offset of the business clock in seconds. It works
on columns of many customers, so that neither its time nor its memory is the worker's, and gives way
to all other processes. It ends when no run has been due for a while, or with the worker.
"""

import asyncio
import os
import sys
from datetime import timedelta
from functools import partial

from services.segment.features.service.loading import load_next
from services.segment.scoring.service.runs import Scoring, work
from services.segment.settings import Settings
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.clock_follower import follow_clock
from shared.database import Database
from shared.errands import work_until_idle
from shared.errors import DomainError
from shared.logging import configure_logging, log

CONNECTIONS = 3
IDLE_SECONDS = 0.25
RETRY_SECONDS = 1.0


async def step(scoring: Scoring, client: ServiceClient) -> bool:
    """Make a load, or carry out a run once all loads are made; tell whether there was one.

    Raises:
        DomainError: what is to be loaded cannot be had now; try again.
    """
    return await load_next(scoring.database, client) or await work(scoring)


async def patient_step(scoring: Scoring, client: ServiceClient) -> bool:
    """Make a step; who cannot be had now is waited for."""
    try:
        return await step(scoring, client)
    except DomainError as error:
        log.warning("scorer_waits", reason=str(error))
        await asyncio.sleep(RETRY_SECONDS)
        return True


async def run(settings: Settings, offset: timedelta) -> None:
    """Do what is due."""
    clock = BusinessClock(settings.bank_zone, offset=offset)
    database = Database(settings.database_url.get_secret_value(), pool_size=CONNECTIONS)
    client = ServiceClient(
        settings.gateway_url, settings.own_client_id, settings.client_secret.get_secret_value()
    )
    scoring = Scoring(database=database, clock=clock, chunk_customers=settings.chunk_customers)
    try:
        await database.connect()
        async with follow_clock(clock, client, settings):
            await work_until_idle(
                partial(patient_step, scoring, client),
                linger_seconds=settings.scorer_linger_seconds,
                pause_seconds=IDLE_SECONDS,
            )
    finally:
        await client.close()
        await database.close()


def main() -> None:
    settings = Settings.read()
    os.nice(settings.scorer_niceness)
    configure_logging("segment-scorer", settings.log_level)
    try:
        asyncio.run(run(settings, timedelta(seconds=float(sys.argv[1]))))
    except Exception:
        log.exception("scorer_failed")
        sys.exit(1)


if __name__ == "__main__":
    main()
