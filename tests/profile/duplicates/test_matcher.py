"""The process of matching as the worker starts it, killed and started anew."""

import asyncio

import pytest

from tests.profile.conftest import KEYS, Profile
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
    await process.communicate()
    assert process.returncode == 0
    done = await profile.ok("GET", path, headers=STEWARD)

    assert cut_off["state"] in {"reading", "comparing"}
    assert (done["state"], done["done"], done["total"]) == ("completed", 40, 40)


@pytest.mark.parametrize(("keys", "state"), [(KEYS, "completed"), ("other:" + "o" * 40, "failed")])
async def test_a13_neither_success_nor_failure_logs_what_was_compared(
    profile: Profile, keys: str, state: str
) -> None:
    for number in range(6):
        body = {"party_type": "person", "name": "Ottilie Zufall", "email": f"o{number % 2}@x.cn"}
        await profile.ok("PUT", f"/customers/c{number}", json=body)
    asked = await profile.ok("POST", "/duplicates/runs", headers=STEWARD)

    process = await start_matcher(profile, keys=keys)
    said, _ = await process.communicate()

    run = await profile.ok("GET", f"/duplicates/runs/{asked['run_id']}", headers=STEWARD)
    assert (process.returncode, run["state"]) == (0, state)
    assert b"zufall" not in said.lower()
    assert b"@x.cn" not in said
