"""The business clock: an offset to real time, and where it came from."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.errors import Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSetting:
    """The offset in force, and the BIHUAN_BUSINESS_NOW text (or none) it began with."""

    started_from: str | None = None
    offset: timedelta = timedelta(0)


class ClockGoesForward(Conflict):
    """Levels, windows and cool-offs have no meaning when business time runs backwards."""

    code = "clock_goes_forward"


def at_start(
    stored: ClockSetting | None, business_now: datetime | None, *, now: datetime
) -> ClockSetting:
    """The clock a gateway starts with: a setting seen before does not rewind what has passed since.

    Args:
        stored: what the database holds, from an earlier start.
        business_now: the setting BIHUAN_BUSINESS_NOW.
        now: real time.
    """
    text = None if business_now is None else business_now.isoformat()
    if stored is not None and stored.started_from == text:
        return stored
    offset = timedelta(0) if business_now is None else business_now - now
    return ClockSetting(started_from=text, offset=offset)


def move(setting: ClockSetting, business_now: datetime, *, now: datetime) -> ClockSetting:
    """Move the clock forward so that it shows `business_now` at this moment.

    Raises:
        ClockGoesForward: if it is past that already.
    """
    if business_now < now + setting.offset:
        raise ClockGoesForward(f"The clock shows {(now + setting.offset).isoformat()} already")
    return replace(setting, offset=business_now - now)
