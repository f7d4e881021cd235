"""Following segment: what it tells of one customer, and what its runs have changed."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import httpx
import pyarrow as pa
import pytest

from services.profile.placements.service import CHANGED, RUN_COMPLETED, Follower
from services.profile.settings import Settings
from services.profile.subjects import holder
from services.profile.tables import METADATA
from shared.client import ServiceClient
from shared.feed import Event
from shared.feed.loads import Loader
from shared.stores import stores_of
from tests.kit import erase, test_settings
from tests.profile.conftest import KEYS, NOW, Profile, ago, cny

pytestmark = pytest.mark.anyio
FALLING = {"lifecycle": "deterioration", "stickiness": 41.5, "tier": None}


async def tell(profile: Profile, kind: str, subject: str, **data: Any) -> None:
    event = Event(
        id=f"e-{subject}", source="x", type=kind, subject=subject, time=NOW, data=data, at=NOW
    )
    for handler in Follower(profile.clock).handlers():
        if kind in handler.types:
            async with profile.database.transaction() as connection:
                await handler.apply(connection, [event], None)


async def place(profile: Profile, at: str, *segments: str, **levels: Any) -> None:
    told = {"customer_id": "c1", "as_of": at, "levels": levels, "segments": list(segments)}
    await tell(profile, CHANGED, "c1", **told)


async def wealthy(profile: Profile, customer_id: str = "c1") -> None:
    await profile.customer(customer_id)
    await profile.holding(customer_id, "fund", balance=cny(80_000), balance_at=ago(40))


async def kinds(profile: Profile, customer_id: str = "c1") -> set[str]:
    found = await profile.ok("GET", f"/customers/{customer_id}/alerts")
    return {each["alert"] for each in found["items"]}


async def shown(profile: Profile) -> Any:
    return await profile.ok("GET", "/customers/c1/parts/profile?names=levels,segments")


def loader(profile: Profile, rows: list[dict[str, Any]]) -> Loader:
    """A loader that gets these rows as an export, in batches of two."""
    sink = BytesIO()
    table = pa.Table.from_pylist(rows)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)

    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 600})
        return httpx.Response(200, content=sink.getvalue())

    client = ServiceClient("http://gateway", "p", "", transport=httpx.MockTransport(serve))
    return Follower(profile.clock).loader(profile.database, client)


async def test_levels_are_followed_shown_and_watched(profile: Profile) -> None:
    await wealthy(profile)
    assert (await shown(profile))["parts"] == {"levels": None, "segments": None}
    before = await kinds(profile)

    await place(profile, ago(1), "payroll", "idle_cash", **FALLING)

    found = await shown(profile)
    assert found["parts"]["levels"]["levels"] == FALLING
    assert found["parts"]["segments"]["segments"] == ["payroll", "idle_cash"]
    assert datetime.fromisoformat(found["as_of"]["levels"]) == NOW - timedelta(days=1)
    assert await kinds(profile) - before == {"churn_low"}
    await place(profile, ago(2), lifecycle="retention")  # older than what is known
    assert "churn_low" in await kinds(profile)
    await place(profile, ago(0), lifecycle="retention")
    assert await kinds(profile) == before
    assert (await shown(profile))["parts"]["segments"]["segments"] == []


async def test_a_runs_changes_are_loaded_and_told_as_one_and_may_be_loaded_again(
    profile: Profile,
) -> None:
    for customer_id in ("c1", "c2", "c3"):
        await wealthy(profile, customer_id)
    await place(profile, ago(0), lifecycle="retention")
    at = NOW - timedelta(hours=1)
    rows: list[dict[str, Any]] = [
        {"customer_id": each, "as_of": at, "lifecycle": "deterioration", "segments": ["all"]}
        for each in ("c1", "c2", "c3", "unknown")
    ]
    run = {"run_id": "r1", "export": "/v1/memberships/export?changed_in_run=r1"}
    await tell(profile, RUN_COMPLETED, "r1", **run)

    assert await loader(profile, rows).step()
    assert not await loader(profile, rows).step()

    assert "churn_low" not in await kinds(profile)  # something newer was known
    assert "churn_low" in await kinds(profile, "c2") & await kinds(profile, "c3")
    [told] = await profile.feed("alerts_run_completed")
    assert (told["run_id"], told["raised"]) == ("e-r1", 2)
    await tell(profile, RUN_COMPLETED, "r1", **run)
    assert await loader(profile, rows).step()
    assert "churn_low" not in {each["alert"] for each in await profile.feed("alert_raised")}
    listed = (await profile.ok("GET", told["export"].removeprefix("/v1")))["items"]
    assert sorted(each["customer_id"] for each in listed) == ["c2", "c3"]


async def test_p11_p13_what_was_followed_is_in_the_copy_and_is_erased(profile: Profile) -> None:
    await wealthy(profile)
    await place(profile, ago(0), "all", **FALLING)
    settings = test_settings(Settings, "postgresql://x", identifier_keys=KEYS)
    stores = holder(settings, profile.clock)

    async with profile.database.transaction() as connection:
        held = {
            store.name: await stores.rows(connection, store, "c1") for store in stores_of(METADATA)
        }
    assert held["placement"][0]["levels"] == FALLING
    assert held["alert"]
    await erase(stores, profile.database, "c1", at=NOW)

    async with profile.database.connection() as connection:
        for table in ("placement", "alert"):
            left = await connection.fetchval(f"SELECT count(*) FROM {table}")
            assert left == 0, table
