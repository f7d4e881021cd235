"""The suites of the end-to-end tests: real processes, started once."""

from collections.abc import Iterator

import pytest

from tests.e2e.running import RunningSuite, running_suite

MORNING = "2026-03-04T10:00:00+08:00"  # a Wednesday, outside every quiet hour
DEMO_CUSTOMERS = 1_000


@pytest.fixture(scope="session")
def suite() -> Iterator[RunningSuite]:
    """The suite with a demonstration bank, at a fixed business time in the day."""
    with running_suite(
        "--demo",
        *("--customers", str(DEMO_CUSTOMERS)),
        *("--seed", "7"),
        BIHUAN_BUSINESS_NOW=MORNING,
    ) as running:
        yield running
