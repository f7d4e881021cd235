"""Results of runs over many customers, taken over from Arrow exports."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import httpx
import polars as pl
import pyarrow as pa
import pytest

from services.strategy.customers import repository as customers
from services.strategy.loads import service
from services.strategy.loads.service import load_handler
from shared.client import ServiceClient
from shared.feed.loads import Loader
from tests.strategy.bank import NOW, apply, arrive

pytestmark = pytest.mark.anyio
AS_OF = datetime(2026, 3, 4, 1, 30, tzinfo=UTC)


def stream(frame: pl.DataFrame) -> bytes:
    table = frame.to_arrow()
    sink = BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)  # an export comes in several batches
    return sink.getvalue()


def loader(database, body: bytes) -> Loader:
    def serve(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 600})
        return httpx.Response(200, content=body)

    transport = httpx.MockTransport(serve)
    return service.loader(database, ServiceClient("http://gateway", "s", "", transport=transport))


async def run_completes(database, kind: str) -> None:
    handler = load_handler(kind, lambda: NOW)
    data = {"run_id": "r1", "export": "/v1/export?changed_in_run=r1"}
    await apply(database, [handler], kind, **data)


async def find(database, customer_id: str):
    async with database.connection() as connection:
        found = await customers.find(connection, customer_id)
    assert found is not None
    return found


async def test_features_of_a_run_are_taken_over_unless_newer_ones_are_here(database) -> None:
    await arrive(database, "late")
    rows = {
        "customer_id": ["late", "new", "old"],
        "as_of": [AS_OF - timedelta(days=1), AS_OF, AS_OF],
        "aum": [Decimal("1.00"), Decimal("123.45"), None],
        "age": [1, 41, 42],
        "has_fund": [True, False, None],
        "occupation": ["other", "farmer", None],
    }
    await run_completes(database, "profile.features_run_completed.v1")

    work = loader(database, stream(pl.DataFrame(rows)))
    assert await work.step()
    assert not await work.step()

    new, old, late = [await find(database, name) for name in ("new", "old", "late")]
    assert new.features == {"aum": 123.45, "age": 41, "has_fund": False, "occupation": "farmer"}
    assert new.features_at == AS_OF
    assert old.features == {"age": 42}
    assert late.features["age"] == 40


async def test_memberships_of_a_run_are_taken_over(database) -> None:
    rows = {
        "customer_id": ["c1", "c2"],
        "as_of": [AS_OF, AS_OF],
        "lifecycle": ["activation", None],
        "rfm_r": [5, None],
        "segments": [["idle_cash", "payroll"], []],
    }
    await run_completes(database, "segment.scoring_run_completed.v1")

    assert await loader(database, stream(pl.DataFrame(rows))).step()

    first, second = await find(database, "c1"), await find(database, "c2")
    assert first.levels == {"lifecycle": "activation", "rfm_r": 5}
    assert first.segments == {"idle_cash", "payroll"}
    assert second.segments == frozenset()


async def test_a_load_that_fails_is_made_again(database) -> None:
    await run_completes(database, "profile.features_run_completed.v1")
    with pytest.raises(pa.ArrowInvalid):
        await loader(database, b"not arrow").step()

    rows = {"customer_id": ["c1"], "as_of": [AS_OF], "age": [30]}
    assert await loader(database, stream(pl.DataFrame(rows))).step()
    assert (await find(database, "c1")).features == {"age": 30}
