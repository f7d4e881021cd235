from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.profile.assessments.domain import (
    Limits,
    StaffMayNotAssess,
    TooManyAssessments,
    check_limits,
    check_submission,
    valid_until,
)

ZONE = ZoneInfo("Asia/Shanghai")
LIMITS = Limits(a_day=2, a_year=8)
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def test_b4_the_third_assessment_of_a_day_is_refused() -> None:
    earlier = [NOON - timedelta(hours=2), NOON - timedelta(hours=1)]

    with pytest.raises(TooManyAssessments, match="2 assessments a day"):
        check_limits(earlier, NOON, limits=LIMITS, zone=ZONE)
    check_limits(earlier[1:], NOON, limits=LIMITS, zone=ZONE)


def test_b4_the_day_is_the_banks() -> None:
    late = datetime(2026, 3, 2, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai

    check_limits([late, late], late + timedelta(minutes=1), limits=LIMITS, zone=ZONE)


def test_b4_the_ninth_assessment_of_twelve_months_is_refused() -> None:
    earlier = [NOON - timedelta(days=40 * n) for n in range(1, 9)]

    with pytest.raises(TooManyAssessments, match="12 months"):
        check_limits(earlier, NOON, limits=LIMITS, zone=ZONE)
    check_limits(earlier, NOON + timedelta(days=60), limits=LIMITS, zone=ZONE)


def test_b6_staff_cannot_answer() -> None:
    check_submission(None, NOON, NOON)
    with pytest.raises(StaffMayNotAssess):
        check_submission("clerk-7", NOON, NOON)


def test_b5_an_assessment_is_valid_for_twelve_months() -> None:
    assert valid_until(NOON) == NOON.replace(year=2027)
    assert valid_until(datetime(2028, 2, 29, tzinfo=UTC)) == datetime(2029, 2, 28, tzinfo=UTC)
