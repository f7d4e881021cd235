"""Fixtures for every test: one PostgreSQL per test process, fresh databases in it, asyncio."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from xdist.scheduler import LoadScopeScheduling

from shared.logging import configure_logging
from shared.postgres import EmbeddedPostgres

configure_logging("tests", "WARNING")
NewDatabase = Callable[..., str]
_numbers = count(1)


class OneSuiteEach(LoadScopeScheduling):
    """Tests of one module stay together, and so do all that share one suite of processes."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        has_own_suite = module.endswith(("test_berka.py", "test_stopped_processes.py"))
        return "tests/e2e" if "/e2e/" in module and not has_own_suite else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return OneSuiteEach(config, log)  # pyright: ignore[reportArgumentType]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def cluster() -> Iterator[EmbeddedPostgres]:
    """PostgreSQL of this process (with xdist: of this worker), without fsync."""
    folder = Path(tempfile.mkdtemp(prefix="bihuan-tests-"))
    folder.chmod(0o711)  # the account of PostgreSQL may be another than ours
    try:
        with EmbeddedPostgres(folder, durable=False) as postgres:
            yield postgres
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def new_database(cluster: EmbeddedPostgres) -> Iterator[NewDatabase]:
    """Make databases: `new_database()` an empty one, `new_database(url)` a copy of that one.

    A copy (about 50 ms) needs that nobody is connected to the original. All are dropped at the end.
    """
    yield from _databases(cluster)


@pytest.fixture(scope="module")
def new_module_database(cluster: EmbeddedPostgres) -> Iterator[NewDatabase]:
    """As `new_database`, kept for a whole module."""
    yield from _databases(cluster)


@pytest.fixture(scope="session")
def new_template(cluster: EmbeddedPostgres) -> Iterator[NewDatabase]:
    """As `new_database`, kept for all tests of this process: a template to copy, never written.

    What fills it is no coroutine: an event loop kept for so long would be in the others' way.
    """
    yield from _databases(cluster)


def _databases(cluster: EmbeddedPostgres) -> Iterator[NewDatabase]:
    made: list[str] = []

    def new(template: str | None = None) -> str:
        name = f"test_{next(_numbers)}"
        original = urlsplit(template).path.lstrip("/") if template else None
        cluster.create_database(name, template=original)
        made.append(name)
        return cluster.url(name)

    yield new
    for name in made:
        cluster.drop_database(name)
