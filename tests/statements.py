"""docs/STATEMENTS.md: what must hold, which tests prove it, and how far it is built.

`python -m tests.statements` fills in the tests, found by the ids in their names
(`test_p3_withdrawal_…`); what a statement says and its state are written by hand.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.paths import ROOT

PAGE = ROOT / "docs" / "STATEMENTS.md"
TESTS = ROOT / "tests"

_NAMED = re.compile(r"def test_((?:(?:and_)?[pbal]\d{1,2}_)+)")
_ID = re.compile(r"[pbal]\d{1,2}")
_ROW = re.compile(r"\| ([PBAL]\d{1,2}) \| (.+?) \| (.*?) ?\| (.+?) \|")

Proofs = dict[str, Counter[Path]]


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of the page."""

    id: str
    says: str
    proofs: str
    state: str


def statements() -> Iterator[Statement]:
    """Yield the rows of the page."""
    for line in PAGE.read_text().splitlines():
        if found := _ROW.fullmatch(line):
            yield Statement(*found.groups())


def proofs() -> Proofs:
    """Count, by statement and file, the tests that carry its id."""
    found: Proofs = defaultdict(Counter)
    for path in sorted(TESTS.rglob("test_*.py")):
        for named in _NAMED.finditer(path.read_text()):
            for statement_id in _ID.findall(named[1]):
                found[statement_id.upper()][path] += 1
    return found


def written(files: Counter[Path]) -> str:
    """Write tests as links, with their number where a file has several."""
    return ", ".join(
        f"[{path.relative_to(TESTS).with_suffix('')}](../{path.relative_to(ROOT)})"
        + (f" × {count}" if count > 1 else "")
        for path, count in sorted(files.items())
    )


def main() -> None:
    """Fill the third column in anew."""
    found = proofs()

    def filled(row: re.Match[str]) -> str:
        tests = written(found.get(row[1], Counter()))
        return f"| {row[1]} | {row[2]} | {tests or '–'} | {row[4]} |"

    lines = PAGE.read_text().splitlines()
    PAGE.write_text("\n".join(_ROW.sub(filled, line) for line in lines) + "\n")


if __name__ == "__main__":
    main()
