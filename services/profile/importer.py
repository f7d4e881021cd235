"""The process that carries imports out: `python -m services.profile.importer OFFSET`.

The worker starts it when an import came, with the offset of the business clock in seconds. It works
on columns of many rows, so that neither its time nor its memory is the worker's, and gives way to
other processes. It ends when there was nothing to import for a while, or with the worker.
"""

import asyncio
import os
import sys
from datetime import timedelta

from services.profile.identifiers.service import key_ring
from services.profile.jobs.service import steps
from services.profile.settings import Settings
from shared.client import ServiceClient
from shared.clock import BusinessClock
from shared.clock_follower import follow_clock
from shared.database import Database
from shared.errands import work_until_idle
from shared.logging import configure_logging, log

IDLE_SECONDS = 0.1


async def run(settings: Settings, offset: timedelta) -> None:
    """Carry out what waits, some chunks side by side."""
    clock = BusinessClock(settings.bank_zone, offset=offset)
    database = Database(settings.database_url.get_secret_value(), pool_size=settings.import_lanes)
    client = ServiceClient(
        settings.gateway_url, settings.own_client_id, settings.client_secret.get_secret_value()
    )
    ring = key_ring(settings.identifier_keys.get_secret_value())

    async def step() -> bool:
        return await steps.step(database, clock, ring=ring, currency=settings.bank_currency)

    linger = settings.importer_linger_seconds
    try:
        await database.connect()
        async with follow_clock(clock, client, settings), asyncio.TaskGroup() as lanes:
            for _ in range(settings.import_lanes):
                lanes.create_task(
                    work_until_idle(step, linger_seconds=linger, pause_seconds=IDLE_SECONDS)
                )
    finally:
        await client.close()
        await database.close()


def main() -> None:
    settings = Settings.read()
    os.nice(settings.importer_niceness)
    configure_logging("profile-importer", settings.log_level)
    try:
        asyncio.run(run(settings, timedelta(seconds=float(sys.argv[1]))))
    except Exception:
        log.exception("importer_failed")
        sys.exit(1)


if __name__ == "__main__":
    main()
