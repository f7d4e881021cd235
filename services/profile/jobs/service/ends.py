"""Ending jobs: features follow, of a whole load in one run, and then the jobs are done."""

from datetime import datetime

import asyncpg

from services.profile.features import service as features
from services.profile.jobs import repository


async def end(connection: asyncpg.Connection, now: datetime) -> bool:
    """Let features follow where all rows are in, and end jobs; tell whether there was any."""
    asking = await repository.list_asking(connection)
    if asking:
        run_id = await features.release_collecting(connection, now)
        await repository.note_asked(connection, asking, run_id)
    return await repository.complete(connection, now) or bool(asking)
