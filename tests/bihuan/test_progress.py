"""What a person who waits is told."""

import io

from rich.console import Console

from bihuan.progress import progress_bars


def test_without_a_terminal_a_step_says_when_it_begins_and_ends() -> None:
    said = io.StringIO()
    with progress_bars(Console(file=said)) as report:
        for done in range(0, 1001, 100):
            report("customers", done, 1000)
        report("events", 7, None)
    assert said.getvalue().splitlines() == [
        "customers: 0 of 1,000",
        "customers: 1,000 of 1,000",
        "events: 7",
    ]


def test_on_a_terminal_each_step_has_a_bar() -> None:
    said = io.StringIO()
    with progress_bars(Console(file=said, force_terminal=True, width=100)) as report:
        report("customers", 500, 1000)
        report("events", 10, None)
    assert "customers" in said.getvalue()
    assert "500/1000" in said.getvalue()
