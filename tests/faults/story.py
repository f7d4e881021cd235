"""What struck, when, and how long it took to recover: printed so that a run can be repeated."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.faults.plan import Fault, How

NEVER = "never"
HEAD = ("at s", "fault", "target", "pid", "when the client had come to", "well after s")


@dataclass(kw_only=True)
class Struck:
    """One fault that struck: `at` seconds after the first request, `well_after` it ended."""

    fault: Fault
    pid: int
    at: float
    is_at_moment: bool = True
    well_after: float | None = None

    @property
    def line(self) -> tuple[str, ...]:
        lasts = f" {self.fault.lasts:.1f} s" if self.fault.lasts else ""
        return (
            f"{self.at:.1f}",
            f"{self.fault.how}{lasts}",
            self.fault.target,
            str(self.pid or "-"),
            f"{self.fault.moment}" if self.is_at_moment else "any moment: the other did not come",
            NEVER if self.well_after is None else f"{self.well_after:.1f}",
        )


@dataclass(kw_only=True)
class Story:
    """A whole run."""

    seed: int
    kills: int
    struck: list[Struck] = field(default_factory=list[Struck])
    totals: dict[str, int] = field(default_factory=dict[str, int])

    @property
    def never_well(self) -> list[str]:
        """What did not recover."""
        return [" ".join(each.line) for each in self.struck if each.well_after is None]

    def text(self) -> str:
        """Return the table, with what it takes to run it again."""
        done = sum(each.fault.how is How.KILL for each in self.struck)
        again = f"again: make faults KILLS={self.kills} SEED={self.seed}"
        did = ", ".join(f"{count} {name}" for name, count in self.totals.items())
        table = _aligned([HEAD, *(each.line for each in self.struck)])
        return "\n".join([f"{done} kills; {again}", f"the client: {did}", "", *table])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
