from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.strategy.channels.domain import Manner
from services.strategy.contact_policies.domain import (
    Period,
    QuietHours,
    contact_policy_of,
    is_working_day,
)
from services.strategy.contacts.domain.quiet_hours import is_quiet
from services.strategy.entries.domain import Fields
from shared.paths import CATALOGUE

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
POLICY = contact_policy_of(
    "default", Fields(yaml.safe_load((CATALOGUE / "contact_policy.yaml").read_text()))
)


def worked(day: date) -> bool:
    return is_working_day(POLICY.holidays, day, statutory=())


def quiet(manner: Manner, local: str, zone: ZoneInfo = SHANGHAI) -> bool:
    now = datetime.fromisoformat(local).replace(tzinfo=zone)
    return is_quiet(POLICY.quiet_hours[manner], now=now, zone=zone, is_working_day=worked)


@pytest.mark.parametrize(
    ("manner", "local", "expected"),
    [
        (Manner.MESSAGE, "2026-03-04T08:59:59", True),
        (Manner.MESSAGE, "2026-03-04T09:00:00", False),
        (Manner.MESSAGE, "2026-03-04T20:59:59", False),
        (Manner.MESSAGE, "2026-03-04T21:00:00", True),
        (Manner.MESSAGE, "2026-03-04T23:59:59", True),
        (Manner.MESSAGE, "2026-03-05T00:00:00", True),
        (Manner.CALL, "2026-03-04T11:59:59", False),
        (Manner.CALL, "2026-03-04T12:00:00", True),
        (Manner.CALL, "2026-03-04T13:59:59", True),
        (Manner.CALL, "2026-03-04T14:00:00", False),
        (Manner.CALL, "2026-03-04T20:00:00", True),
        # Friday night into a week-end, and Sunday night into a working day
        (Manner.MESSAGE, "2026-03-06T20:59:59", False),
        (Manner.MESSAGE, "2026-03-07T09:59:59", True),
        (Manner.MESSAGE, "2026-03-07T10:00:00", False),
        (Manner.MESSAGE, "2026-03-08T20:00:00", True),
        (Manner.MESSAGE, "2026-03-09T08:59:59", True),
        (Manner.MESSAGE, "2026-03-09T09:00:00", False),
        (Manner.CALL, "2026-03-07T10:30:00", True),
        # Spring Festival, and the Saturday worked instead (调休)
        (Manner.CALL, "2026-02-17T10:30:00", True),
        (Manner.CALL, "2026-02-14T10:30:00", False),
        (Manner.MESSAGE, "2026-02-14T09:30:00", False),
    ],
)
def test_b10_quiet_hours_hold_to_the_second(manner, local, expected) -> None:
    assert quiet(manner, local) is expected


def test_b10_a_period_across_midnight_belongs_to_the_day_it_starts() -> None:
    hours = QuietHours(working_days=(Period(21 * 3600, 9 * 3600),), rest_days=())

    def at(local: str) -> bool:
        now = datetime.fromisoformat(local).replace(tzinfo=SHANGHAI)
        return is_quiet(hours, now=now, zone=SHANGHAI, is_working_day=worked)

    assert at("2026-03-06T21:00:00")  # Friday
    assert at("2026-03-07T08:59:59")  # its end, on a Saturday
    assert not at("2026-03-07T21:00:00")
    assert not at("2026-03-09T08:59:59")  # Sunday began none


def test_b10_daylight_saving_moves_the_wall_clock_and_the_hours_with_it() -> None:
    for utc, expected in [
        ("2026-03-28T08:59:59+00:00", True),  # Saturday 09:59:59 winter time
        ("2026-03-28T09:00:00+00:00", False),
        ("2026-03-29T07:59:59+00:00", True),  # Sunday 09:59:59 summer time
        ("2026-03-29T08:00:00+00:00", False),
        ("2026-10-25T00:30:00+00:00", True),  # 02:30, the first time
        ("2026-10-25T01:30:00+00:00", True),  # 02:30, again
    ]:
        now = datetime.fromisoformat(utc)
        hours = POLICY.quiet_hours[Manner.MESSAGE]
        got = is_quiet(hours, now=now, zone=BERLIN, is_working_day=lambda day: day.weekday() < 5)
        assert got is expected, utc


@given(st.integers(0, 7 * 86_400 - 1), st.sampled_from(["Asia/Shanghai", "America/New_York"]))
def test_b10_the_customers_zone_decides_and_not_the_servers(second: int, name: str) -> None:
    zone = ZoneInfo(name)
    now = datetime(2026, 6, 8, tzinfo=ZoneInfo("UTC")) + timedelta(seconds=second)
    local = now.astimezone(zone)
    rest = local.weekday() >= 5
    first, last = (10, 20) if rest else (9, 21)

    hours = POLICY.quiet_hours[Manner.MESSAGE]
    got = is_quiet(hours, now=now, zone=zone, is_working_day=lambda day: day.weekday() < 5)

    assert got is not (first <= local.hour < last)
