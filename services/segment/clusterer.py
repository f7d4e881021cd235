"""The process that clusters: `python -m services.segment.clusterer OFFSET`.

The worker starts it when a run was asked for, with the offset of the business clock in seconds. It
holds one number for each customer and attribute, and all that learning takes beside; with its end
that is gone.
"""

import asyncio
import os
import sys
from datetime import timedelta

from services.segment.clusterings.service.runs import Clusterer, work
from services.segment.seeding import read_words
from services.segment.settings import Settings
from shared.clock import BusinessClock
from shared.database import Database
from shared.logging import configure_logging, log
from shared.paths import CATALOGUE

ONE_AT_A_TIME = 0x_C1_05_7E  # any number that all processes of clusterings agree on


async def run(settings: Settings, offset: timedelta) -> None:
    """Carry out every run that waits, unless another process is at it."""
    clock = BusinessClock(settings.bank_zone, offset=offset)
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    clusterer = Clusterer(
        database=database,
        clock=clock,
        words=read_words(CATALOGUE),
        chunk_customers=settings.cluster_chunk_customers,
        fit_customers=settings.cluster_fit_customers,
        judge_customers=settings.cluster_judge_customers,
    )
    try:
        await database.connect()
        alone = await database.dedicated()
        try:
            if await alone.fetchval("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):
                while await work(clusterer):
                    pass
        finally:
            await alone.close()
    finally:
        await database.close()


def main() -> None:
    settings = Settings.read()
    os.nice(settings.clusterer_niceness)
    configure_logging("segment-clusterer", settings.log_level)
    try:
        asyncio.run(run(settings, timedelta(seconds=float(sys.argv[1]))))
    except Exception:
        log.exception("clusterer_failed")
        sys.exit(1)


if __name__ == "__main__":
    main()
