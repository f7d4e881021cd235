"""What is wrong with a rule, as values: where it stands and what may have been meant."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with a text; `start` and `end` count characters, `end` exclusive."""

    code: str
    message: str
    start: int = 0
    end: int = 0
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f" (did you mean {self.suggestion!r}?)" if self.suggestion else ""
        return f"{self.message} at {self.start}{hint}"


class RuleError(Exception):
    """The text is no rule over this catalogue; `errors` says why."""

    def __init__(self, errors: Sequence[Fault]) -> None:
        """Keep the faults in the order of the text."""
        self.errors = tuple(sorted(errors, key=lambda fault: (fault.start, fault.end)))
        super().__init__("; ".join(str(fault) for fault in self.errors))
