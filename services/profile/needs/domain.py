"""What customers need, said or believed (表象需求/潜在需求), and what they save for."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from shared.errors import FieldError, Invalid, NotFound

AHEAD = timedelta(minutes=5)
LAST_PRIORITY = 9


class NeedKind(StrEnum):
    STATED = "stated"
    LATENT = "latent"


class NeedState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"
    EXPIRED = "expired"


class NoSuchNeed(NotFound):
    code = "no_such_need"


class NoSuchGoal(NotFound):
    code = "no_such_goal"


class UnknownNeed(Invalid):
    code = "unknown_need"
    title = "There is no need of this code"


class UnknownGoal(Invalid):
    code = "unknown_goal"
    title = "There is no goal of this kind"


class StatedAhead(Invalid):
    code = "stated_ahead"
    title = "Nobody can have said it yet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something a customer needs; `confidence` in [0, 1] is how sure the source is."""

    need_id: str
    kind: NeedKind
    code: str
    source: str
    confidence: float
    stated_at: datetime
    valid_until: datetime | None = None
    resolved_at: datetime | None = None

    def state(self, now: datetime) -> NeedState:
        """Return what has become of it."""
        if self.resolved_at is not None and self.resolved_at <= now:
            return NeedState.RESOLVED
        if self.valid_until is not None and self.valid_until <= now:
            return NeedState.EXPIRED
        return NeedState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Something a customer wants to reach with money; priority 1 comes first, 9 last."""

    goal_id: str
    kind: str
    target: Decimal | None = None
    horizon: date | None = None
    priority: int
    progress: float | None = None
    source: str
    stated_at: datetime
    closed_at: datetime | None = None


def shown_to(*, is_customer: bool) -> tuple[NeedKind, ...]:
    """Return which needs a reader sees: customers what they stated, staff all."""
    return (NeedKind.STATED,) if is_customer else tuple(NeedKind)


def check_stated(stated_at: datetime, now: datetime) -> None:
    """Refuse a statement of a time that has not come, five minutes of clock skew aside.

    Raises:
        StatedAhead: says when it is now.
    """
    if stated_at > now + AHEAD:
        raise StatedAhead(
            f"stated_at {stated_at} lies ahead of {now}",
            errors=[FieldError("/stated_at", "lies in the future")],
        )
