"""The process that looks for duplicates: `python -m services.profile.matcher OFFSET`.

The worker starts it when a run was asked for, with the offset of the business clock in seconds.
Identifiers are open in its memory only, and with its end they are gone; it writes nothing but
pairs of customers, how probable they are and which comparison said what.
"""

import asyncio
import os
import sys
from datetime import timedelta
from functools import partial

from services.profile.identifiers.service import key_ring
from services.profile.matching.domain.runs import failure_of
from services.profile.matching.service import runs
from services.profile.settings import Settings
from shared.clock import BusinessClock
from shared.database import Database
from shared.logging import configure_logging, log

ONE_AT_A_TIME = 0x_B1_40_03  # any number that all processes of matching agree on


async def run(settings: Settings, offset: timedelta) -> None:
    """Carry the open run out, unless another process is at it."""
    clock = BusinessClock(settings.bank_zone, offset=offset)
    database = Database(settings.database_url.get_secret_value(), pool_size=2)
    try:
        await database.connect()
        alone = await database.dedicated()
        try:
            if await alone.fetchval("SELECT pg_try_advisory_lock($1)", ONE_AT_A_TIME):
                await _carry_out(settings, database, clock)
        finally:
            await alone.close()
    finally:
        await database.close()


async def _carry_out(settings: Settings, database: Database, clock: BusinessClock) -> None:
    ring = key_ring(settings.identifier_keys.get_secret_value())
    try:
        from services.profile.matching.service.linking import link  # noqa: PLC0415 - an extra

        linking = partial(link, memory=settings.matcher_memory)
        await runs.carry_out(database, clock, ring=ring, link=linking)
    except Exception as error:  # its words may hold what was compared
        log.error("matching_failed", kind=type(error).__name__)
        await runs.fail(database, clock, failure_of(error))


def main() -> None:
    settings = Settings.read()
    os.nice(settings.matcher_niceness)
    configure_logging("profile-matcher", settings.log_level)
    asyncio.run(run(settings, timedelta(seconds=float(sys.argv[1]))))


if __name__ == "__main__":
    main()
