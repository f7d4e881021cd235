"""The process of matching as the worker starts it, killed and started anew."""

import asyncio

import pytest

from tests.profile.conftest import Profile
from tests.profile.duplicates.test_identity_data import STEWARD, start_matcher

pytestmark = pytest.mark.anyio


async def test_l4_a_run_that_is_killed_is_carried_out_by_the_next_process(
    profile: Profile,
) -> None:
    for number in range(40):
        body = {"party_type": "person", "name": f"张三{number}", "birth_date": "1990-01-01"}
        await profile.ok("PUT", f"/customers/c{number}", json=body)
    asked = await profile.ok("POST", "/duplicates/runs", headers=STEWARD)
    path = f"/duplicates/runs/{asked['run_id']}"

    process = await start_matcher(profile)
    while (await profile.ok("GET", path, headers=STEWARD))["state"] == "queued":
        assert process.returncode is None
        await asyncio.sleep(0.01)
    process.kill()
    await process.wait()
    cut_off = await profile.ok("GET", path, headers=STEWARD)
    process = await start_matcher(profile)
    assert await process.wait() == 0
    done = await profile.ok("GET", path, headers=STEWARD)

    assert cut_off["state"] in {"reading", "comparing"}
    assert (done["state"], done["done"], done["total"]) == ("completed", 40, 40)
