"""Giving a customer a tag: what it may say, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.tags.domain import (
    TagFollowsRule,
    TagNotInUse,
    TagUnfit,
    Wanted,
    last_moment,
    readable,
)
from services.profile.vocabulary import tag_kinds
from services.profile.watch.domain import Tag

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CARE, HABIT, MODEL = (tag_kinds()[key] for key in ("vip_care", "contact_habit", "next_interest"))


def unfit(kind: object, wanted: Wanted) -> set[str]:
    with pytest.raises(TagUnfit) as raised:
        last_moment(kind, wanted, now=NOW)  # pyright: ignore[reportArgumentType]
    return {each.pointer for each in raised.value.errors}


@given(st.none() | st.integers(1, 60), st.none() | st.integers(-10, 80))
def test_a_tag_holds_from_now_on_and_never_longer_than_it_may(
    valid: int | None, asked: int | None
) -> None:
    kind = replace(CARE, valid_days=valid)
    wanted = Wanted(until=None if asked is None else NOW + timedelta(days=asked))
    if asked is not None and (asked <= 0 or (valid is not None and asked > valid)):
        assert unfit(kind, wanted) == {"/until"}
        return
    until = last_moment(kind, wanted, now=NOW)

    expected = valid if asked is None else asked
    assert until == (None if expected is None else NOW + timedelta(days=expected))
    tag = Tag(
        customer_id="c1", tag_id="t", kind="k", value=None, source="person", since=NOW, until=until
    )
    assert tag.is_current(NOW)
    assert wanted.is_said_by(tag)
    assert until is None or not tag.is_current(until)


def test_a_tag_says_one_of_its_values_and_a_model_says_which_run() -> None:
    assert unfit(HABIT, Wanted(value="pigeon")) == {"/value"}
    assert unfit(HABIT, Wanted()) == {"/value"}
    assert unfit(CARE, Wanted(value="phone")) == {"/value"}
    assert unfit(MODEL, Wanted(value="savings")) == {"/reference"}
    assert last_moment(MODEL, Wanted(value="savings", reference="run-1"), now=NOW) is not None
    with pytest.raises(TagNotInUse):
        last_moment(replace(CARE, is_active=False), Wanted(), now=NOW)
    with pytest.raises(TagFollowsRule):
        last_moment(tag_kinds()["entrepreneur"], Wanted(), now=NOW)


def test_p1_a_reader_sees_what_the_ground_covers_and_a_customer_what_is_for_customers() -> None:
    kinds = [CARE, HABIT, MODEL]

    assert readable(kinds, {"care"}, is_customer=False) == {"vip_care", "contact_habit"}
    assert readable(kinds, {"care", "tracking"}, is_customer=True) == {"contact_habit"}
