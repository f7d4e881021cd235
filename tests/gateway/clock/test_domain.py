"""The business clock survives restarts and runs forward only."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.clock.domain import ClockGoesForward, ClockSetting, at_start, move

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 2, 2, tzinfo=UTC)


def test_without_a_setting_business_time_is_real_time() -> None:
    assert at_start(None, None, now=NOW).offset == timedelta(0)


def test_the_setting_is_the_time_at_the_first_start() -> None:
    assert NOW + at_start(None, MARCH, now=NOW).offset == MARCH


def test_a_restart_under_the_same_setting_does_not_rewind() -> None:
    moved = move(at_start(None, MARCH, now=NOW), MARCH + timedelta(days=7), now=NOW)

    assert at_start(moved, MARCH, now=NOW + timedelta(hours=5)) == moved


def test_another_setting_begins_anew() -> None:
    stored = at_start(None, MARCH, now=NOW)
    april = MARCH + timedelta(days=31)

    assert NOW + at_start(stored, april, now=NOW).offset == april
    assert at_start(stored, None, now=NOW).offset == timedelta(0)


def test_the_clock_never_runs_backwards() -> None:
    with pytest.raises(ClockGoesForward):
        move(ClockSetting(), NOW - timedelta(microseconds=1), now=NOW)
    assert move(ClockSetting(), NOW, now=NOW).offset == timedelta(0)
