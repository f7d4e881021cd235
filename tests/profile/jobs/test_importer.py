"""The process of imports as the worker starts it, killed and started anew."""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from datetime import UTC, datetime

import pytest

from tests.kit import JWKS
from tests.profile.conftest import KEYS, NOW, Profile
from tests.profile.jobs.test_loads import IDS, begin_load, job, logins, send

pytestmark = pytest.mark.anyio

ROWS = 3_000
KILLS = 3


async def start(profile: Profile) -> Process:
    told = {
        "BIHUAN_PROFILE_DATABASE_URL": profile.database.url,
        "BIHUAN_PROFILE_IDENTIFIER_KEYS": KEYS,
        "BIHUAN_PROFILE_IMPORTER_LINGER_SECONDS": "0.2",
        "BIHUAN_TOKEN_JWKS": JWKS,
        "BIHUAN_ENVIRONMENT": "test",
    }
    offset = (NOW - datetime.now(UTC)).total_seconds()
    program = [sys.executable, "-m", "services.profile.importer", str(offset)]
    return await asyncio.create_subprocess_exec(
        *program, env={**os.environ, **told}, stdout=DEVNULL, stderr=DEVNULL
    )


async def test_l4_an_import_that_is_killed_goes_on_and_counts_each_row_once(
    profile: Profile,
) -> None:
    await begin_load(profile)
    object.__setattr__(profile.app.state.settings, "import_chunk_rows", 10)
    told = await send(profile, "events", logins(ROWS))

    done = 0
    for _ in range(KILLS):
        process = await start(profile)
        while (now := (await job(profile, told))["done"]) == done:
            assert process.returncode is None
            await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
        done = now
    process = await start(profile)
    assert await process.wait() == 0
    await profile.work()

    read = await job(profile, told)
    assert (read["state"], read["done"], read["accepted"]) == ("completed", ROWS, ROWS)
    assert done < ROWS, "it was never killed while it worked"
    found = [(await profile.features(each))["logins_30d"] for each in IDS]
    assert found == [ROWS / len(IDS)] * len(IDS)
