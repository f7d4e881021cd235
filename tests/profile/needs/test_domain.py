from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.needs.domain import Need, NeedKind, NeedState, StatedAhead, check_stated

NOW = datetime(2026, 3, 2, tzinfo=UTC)
moments = st.none() | st.integers(-3, 3).map(lambda hours: NOW + timedelta(hours=hours))


def need(valid_until: datetime | None, resolved_at: datetime | None) -> Need:
    return Need(
        need_id="n",
        kind=NeedKind.STATED,
        code="retirement",
        source="rm",
        confidence=1,
        stated_at=NOW - timedelta(days=1),
        valid_until=valid_until,
        resolved_at=resolved_at,
    )


@given(moments, moments)
def test_a_need_is_open_until_it_is_met_or_its_time_is_over(
    valid_until: datetime | None, resolved_at: datetime | None
) -> None:
    state = need(valid_until, resolved_at).state(NOW)

    met = resolved_at is not None and resolved_at <= NOW
    over = valid_until is not None and valid_until <= NOW
    assert (state == NeedState.RESOLVED) == met
    assert (state == NeedState.EXPIRED) == (over and not met)


@given(moments, moments, st.integers(0, 9))
def test_what_is_no_longer_open_stays_so(
    valid_until: datetime | None, resolved_at: datetime | None, hours: int
) -> None:
    given_need = need(valid_until, resolved_at)
    if given_need.state(NOW) != NeedState.OPEN:
        assert given_need.state(NOW + timedelta(hours=hours)) != NeedState.OPEN


def test_nobody_has_said_what_lies_ahead() -> None:
    check_stated(NOW + timedelta(minutes=5), NOW)
    with pytest.raises(StatedAhead):
        check_stated(NOW + timedelta(minutes=6), NOW)
