"""The business clock: real time plus an offset that demonstrations and tests may set."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def real_now() -> datetime:
    """Return the present in UTC: for tokens, time-outs and the feed's `time`."""
    return datetime.now(UTC)


class BusinessClock:
    """Business time: what `occurred_at`, windows and days are measured by."""

    def __init__(
        self,
        zone: str,
        *,
        offset: timedelta = timedelta(0),
        read: Callable[[], datetime] = real_now,
    ) -> None:
        self.zone = ZoneInfo(zone)
        self.offset = offset
        self._read = read

    def now(self) -> datetime:
        """Return the business time, aware and in UTC."""
        return self._read() + self.offset

    def today(self, zone: ZoneInfo | None = None) -> date:
        """Return the calendar day, in the bank's zone unless another is given."""
        return self.now().astimezone(zone or self.zone).date()

    def set_now(self, business_now: datetime) -> None:
        """Move the clock so that it is `business_now` at this moment."""
        self.offset = business_now - self._read()
