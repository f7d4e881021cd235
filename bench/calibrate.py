"""How fast this machine is, beside the one whose figures are committed.

`python -m bench.calibrate` writes calibrate.json. An absolute mark is multiplied by the slowdown:
the largest of the ratios now ÷ committed, never below 1.
"""

import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

COMMITTED = Path(__file__).parent / "calibrate.json"
REPEATS = 5


def measure() -> dict[str, float]:
    """Return the milliseconds of each piece of work, the median of a few."""
    works = {"hash_ms": _hash, "numpy_ms": _numpy, "fsync_ms": _fsync}
    return {name: round(_median_ms(work), 3) for name, work in works.items()}


def slowdown(now: dict[str, float]) -> float:
    """Say how much slower this machine is than the committed one, at least 1."""
    committed = json.loads(COMMITTED.read_text())
    return max(1.0, *(now[name] / committed[name] for name in committed))


def _hash() -> None:
    digest = b"bihuan"
    for _ in range(200_000):
        digest = hashlib.sha256(digest).digest()


def _numpy() -> None:
    values = np.random.default_rng(7).random((600, 600))
    for _ in range(5):
        np.sort(values @ values, axis=0)


def _fsync() -> None:
    with tempfile.TemporaryFile() as file:
        for _ in range(20):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())


def _median_ms(work: Callable[[], None]) -> float:
    return statistics.median(_ms(work) for _ in range(REPEATS))


def _ms(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    COMMITTED.write_text(json.dumps(measure(), indent=2) + "\n")
    print(COMMITTED.read_text())
