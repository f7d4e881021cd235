"""One ordeal for all tests of this folder, told at the end of the run."""

import asyncio
from collections.abc import Generator, Iterator
from typing import Any

import pytest

from tests.e2e.running import running_suite
from tests.faults.ordeal import Aftermath, go_through
from tests.faults.pages import MORNING
from tests.faults.story import Story

TITLE = "faults"
STORY = pytest.StashKey[Story]()
KILLS, SEED = 6, 1


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=KILLS, help="kills of the fault run")
    parser.addoption("--seed", type=int, default=SEED, help="what the fault run is drawn from")


@pytest.fixture(scope="session")
def aftermath(request: pytest.FixtureRequest) -> Iterator[Aftermath]:
    """What is left of a suite that lived through the faults of a seed."""
    options = request.config.option  # without ours where pytest began in another folder
    story = Story(seed=getattr(options, "seed", SEED), kills=getattr(options, "kills", KILLS))
    request.config.stash[STORY] = story
    with running_suite(BIHUAN_BUSINESS_NOW=MORNING.isoformat()) as suite:
        yield asyncio.run(go_through(suite, story))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if "aftermath" in getattr(item, "fixturenames", ()) and STORY in item.config.stash:
        report.sections.append((TITLE, item.config.stash[STORY].text()))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the story once; it comes with the reports, so that it also travels between processes."""
    reports = [
        r for kind in ("failed", "error", "passed") for r in terminalreporter.getreports(kind)
    ]
    stories = [text for r in reports for title, text in r.sections if title == TITLE]
    if stories:
        terminalreporter.section(TITLE)
        terminalreporter.write_line(stories[-1])
