"""Quiet hours in the customer's local time (statement B10)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from services.strategy.contact_policies.domain import Period, QuietHours

IsWorkingDay = Callable[[date], bool]


def is_quiet(
    hours: QuietHours, *, now: datetime, zone: ZoneInfo, is_working_day: IsWorkingDay
) -> bool:
    """Tell whether contacts are silent at `now`.

    Periods are read off the wall clock of the zone, [start, end), to the second; one across
    midnight belongs to the day on which it starts. The hour that daylight saving repeats is quiet
    both times, the one it skips never comes.

    Args:
        hours: the periods of one manner of contact.
        now: an aware time.
        zone: the customer's zone.
        is_working_day: calendar of the customer's country, holidays and 调休 included.
    """
    local = now.astimezone(zone)
    seconds = local.hour * 3600 + local.minute * 60 + local.second
    today, yesterday = local.date(), local.date() - timedelta(days=1)
    begun_today = any(
        period.start <= seconds and (seconds < period.end or _spans_midnight(period))
        for period in _periods(hours, today, is_working_day)
    )
    return begun_today or any(
        _spans_midnight(period) and seconds < period.end
        for period in _periods(hours, yesterday, is_working_day)
    )


def _periods(hours: QuietHours, day: date, is_working_day: IsWorkingDay) -> tuple[Period, ...]:
    return hours.working_days if is_working_day(day) else hours.rest_days


def _spans_midnight(period: Period) -> bool:
    return period.end <= period.start
