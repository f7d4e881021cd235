"""Runs have a process of their own: it is started, watched, killed and started again."""

import asyncio
from collections.abc import Callable
from typing import Any

import psutil
import pytest

from services.segment import worker
from tests.segment.bank import NOW, Bank, crowd

pytestmark = pytest.mark.anyio
CUSTOMERS = 300


@pytest.fixture
def told(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Tells the process its settings, as the environment of the worker does."""

    def tell(**settings: object) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"BIHUAN_SEGMENT_{name.upper()}", str(value))

    tell(database_url=bank.database.url, environment="production", scorer_linger_seconds=1)
    return tell


async def ask(bank: Bank) -> str:
    """Ask for a run over a crowd; its address."""
    await bank.settle()
    await bank.hear(*crowd(CUSTOMERS))
    created = await bank.http.post("/v1/scoring-runs", json={}, headers=bank.headers)
    return created.headers["Location"]


async def started(bank: Bank, run: str) -> tuple[asyncio.Task[None], psutil.Process]:
    """Start the process with chunks of one customer; wait until the run has made progress."""
    task = asyncio.create_task(worker.run_scorer(bank.database, bank.clock))
    async with asyncio.timeout(60):
        while not (await read(bank, run))["done"]:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
    children = psutil.Process().children()
    [process] = [each for each in children if "services.segment.scorer" in each.cmdline()]
    return task, process


async def read(bank: Bank, run: str) -> dict[str, Any]:
    return (await bank.get(run)).json()


async def test_l4_a_killed_process_counts_as_a_try_and_the_run_goes_on_from_where_it_was(
    bank: Bank, told: Callable[..., None]
) -> None:
    run = await ask(bank)
    told(chunk_customers=1)
    task, process = await started(bank, run)
    process.kill()
    with pytest.raises(worker.ScorerFailed):
        await task
    halfway = await read(bank, run)
    told(chunk_customers=1000)
    await worker.run_scorer(bank.database, bank.clock)
    whole = await read(bank, run)

    assert (halfway["state"], halfway["failures"]) == ("running", 1)
    assert "SIGKILL" in halfway["error"]
    assert 0 < halfway["done"] < CUSTOMERS
    assert (whole["state"], whole["done"], whole["changed"]) == ("completed", CUSTOMERS, CUSTOMERS)


async def test_the_process_keeps_business_time_gives_way_and_ends_with_the_worker(
    bank: Bank, told: Callable[..., None]
) -> None:
    run = await ask(bank)
    told(chunk_customers=1, scorer_niceness=7)
    before = psutil.Process().nice()
    task, process = await started(bank, run)
    niceness, began = process.nice(), (await read(bank, run))["started_at"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert niceness == before + 7
    assert began.startswith(NOW.date().isoformat())
    assert not process.is_running()
