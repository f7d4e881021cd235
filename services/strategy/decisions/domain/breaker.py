"""The breaker: after several late decisions in a row, defaults answer for a while."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Late decisions in a row, and until when (seconds of a stop-watch) the breaker is open."""

    breaches: int = 0
    open_until: float = 0.0

    def is_open(self, at: float) -> bool:
        """Tell whether defaults are to answer."""
        return at < self.open_until

    def after(self, *, in_time: bool, at: float, limit: int, pause_seconds: float) -> "Breaker":
        """Return the breaker after one more decision.

        Args:
            in_time: the decision kept its budget.
            at: now, in seconds of a stop-watch.
            limit: breaches in a row that open it.
            pause_seconds: how long it stays open.
        """
        if in_time:
            return Breaker(open_until=self.open_until) if self.breaches else self
        if self.breaches + 1 >= limit:
            return Breaker(open_until=at + pause_seconds)
        return Breaker(breaches=self.breaches + 1, open_until=self.open_until)
