import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from services.profile.features import service
from tests.profile.conftest import NOW, Profile

pytestmark = pytest.mark.anyio


async def test_a_day_of_the_bank_has_one_roll_whoever_asks(profile: Profile) -> None:
    asked = await asyncio.gather(
        *(service.roll_if_due(profile.database, profile.clock) for _ in range(4))
    )

    assert sorted(asked) == [False, False, False, True]


async def test_the_roll_comes_at_midnight_of_the_banks_zone_and_when_the_clock_is_moved(
    profile: Profile,
) -> None:
    async def due(at: datetime) -> bool:
        profile.clock.set_now(at)
        return await service.roll_if_due(profile.database, profile.clock)

    midnight = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)

    assert await due(NOW)
    assert not await due(midnight - timedelta(seconds=1))
    assert await due(midnight)
    assert await due(midnight + timedelta(days=40))
    assert not await due(midnight + timedelta(days=40, hours=23))


async def test_a_roll_cut_off_between_chunks_goes_on(profile: Profile) -> None:
    for number in range(5):
        await profile.ok("PUT", f"/customers/c{number}", json={"party_type": "person"})
    run = await profile.ok("POST", "/features/rolls", json={})

    await service.step(profile.database, profile.clock, customers=2)
    halfway = await profile.ok("GET", f"/features/rolls/{run['run_id']}")
    while await service.step(profile.database, profile.clock, customers=2):
        pass

    done = await profile.ok("GET", f"/features/rolls/{run['run_id']}")
    assert (halfway["state"], halfway["done"]) == ("running", 2)
    assert (done["state"], done["done"], done["total"]) == ("completed", 5, 5)
    assert len(await profile.feed("features_run_completed")) == 1
    ahead = await profile.call(
        "POST", "/features/rolls", json={"as_of": (NOW + timedelta(days=1)).isoformat()}
    )
    assert (ahead.status_code, ahead.json()["code"]) == (422, "run_ahead")
