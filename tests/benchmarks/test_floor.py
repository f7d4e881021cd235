"""The floor is what it says: a gateway before a service with one read."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bench import calibrate, floor, machine, report


@pytest.fixture(scope="module")
def running() -> Iterator[floor.Floor]:
    folder = Path(tempfile.mkdtemp(prefix="bihuan-floor-"))
    folder.chmod(0o711)  # the account of PostgreSQL may be another than ours
    with floor.running(folder) as started:
        yield started
    shutil.rmtree(folder)


def test_the_floor_answers_a_row_through_its_gateway(running: floor.Floor) -> None:
    answer = httpx.get(f"{running.url}/v1/rows/7")

    assert answer.status_code == 200
    assert len(answer.json()["item"]) == floor.ROW_BYTES
    assert httpx.get(f"{running.url}/v1/rows/none").status_code == 404
    assert httpx.get(running.hello_url).json() == {"hello": "world"}


def test_its_cost_is_read_from_the_operating_system(running: floor.Floor) -> None:
    before = machine.cpu_seconds(running.pids)
    with httpx.Client() as http:
        for _ in range(50):
            http.get(f"{running.url}/v1/rows/7")

    assert machine.cpu_seconds(running.pids) > before
    assert (machine.memory_bytes([os.getpid()]) or 0) > 2**20


def test_a_slower_machine_stretches_the_marks_and_a_faster_one_does_not() -> None:
    known = {"hash_ms": 1e6, "numpy_ms": 0.0, "fsync_ms": 0.0}

    assert calibrate.slowdown(known) > 100
    assert calibrate.slowdown(dict.fromkeys(known, 0.0)) == 1.0


def test_a_spread_is_median_and_range_and_percentiles_say_how_many() -> None:
    assert report.spread([3.0, 1.0, 2.0]) == {"median": 2.0, "low": 1.0, "high": 3.0}
    assert report.percentiles([1.0] * 99 + [101.0])["count"] == 100
