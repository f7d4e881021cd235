"""Findings as a table for people: what is wrong stands last, next to the prompt."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from bihuan.doctor.findings import Finding, State

_MARKS = {
    State.GOOD: Text("✓", "green"),
    State.NOTE: Text("•", "yellow"),
    State.BAD: Text("✗", "red"),
}
_ORDER = list(_MARKS)


def findings_table(findings: Sequence[Finding]) -> Iterator[RenderableType]:
    table = Table("", "what", box=SIMPLE_HEAD)
    for column in ("how it is", "what to do"):
        table.add_column(column, overflow="fold")
    for finding in sorted(findings, key=lambda finding: _ORDER.index(finding.state)):
        told = (finding.what, finding.detail, finding.advice)
        table.add_row(_MARKS[finding.state], *(Text(text) for text in told))
    yield table
    count = Counter(finding.state for finding in findings)
    yield f"{count[State.BAD]} wrong, {count[State.NOTE]} to know, {count[State.GOOD]} good"
