"""Hysteresis, month-ends and the order of what reads each other."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segment.attributes.domain import evaluation_order
from services.segment.scales.domain import (
    Held,
    Scale,
    ScaleLevel,
    check_scale,
    last_month_end,
    move,
)
from shared.errors import Invalid
from shared.rules import Attribute, AttributeType, Catalogue

RANKS = {"high": 0, "middle": 1, "low": 2}
LEVELS = st.sampled_from(list(RANKS))
START = date(2026, 1, 15)


def night(held: Held | None, now: str | None, day: date) -> Held | None:
    return move(held, now, ranks=RANKS, day=day, down_after_month_ends=3)


def nights(held: Held | None, now: str, *days: date) -> list[str]:
    levels: list[str] = []
    for day in days:
        held = night(held, now, day)
        levels.append(held.level if held else "none")
    return levels


def test_the_first_run_takes_what_the_rules_say() -> None:
    assert night(None, "low", START) == Held("low", 0, date(2025, 12, 31))


def test_a_level_rises_the_next_night() -> None:
    held = night(None, "low", START)

    assert nights(held, "high", START + timedelta(days=1)) == ["high"]


def test_a_level_falls_at_the_third_month_end_in_a_row_and_to_where_the_rules_say() -> None:
    held = night(None, "high", START)
    month_ends = [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 30), date(2026, 3, 31)]

    assert nights(held, "low", *month_ends) == ["high", "high", "high", "low"]


def test_a_month_end_at_the_level_begins_the_count_again() -> None:
    held = night(None, "high", START)
    for day, now in [
        (date(2026, 1, 31), "low"),
        (date(2026, 2, 28), "low"),
        (date(2026, 3, 31), "high"),
        (date(2026, 4, 30), "low"),
        (date(2026, 5, 31), "low"),
    ]:
        held = night(held, now, day)

    assert held is not None
    assert (held.level, held.below) == ("high", 2)


def test_the_middle_of_a_month_counts_nothing() -> None:
    held = night(None, "high", START)
    days = [START + timedelta(days=number) for number in range(1, 16)]

    assert nights(held, "low", *days) == ["high"] * 15


def test_a_month_end_whose_night_was_missed_counts_in_the_next_one_once() -> None:
    held = night(None, "high", START)
    held = night(held, "low", date(2026, 2, 3))

    assert held == Held("high", 1, date(2026, 1, 31))
    assert night(held, "low", date(2026, 2, 3)) == held


def test_who_leaves_the_scale_holds_no_level() -> None:
    assert night(Held("high", 2, date(2025, 12, 31)), None, START) is None


def test_a_level_that_the_scale_no_longer_has_is_forgotten() -> None:
    held = night(Held("gone", 2, date(2025, 12, 31)), "low", START)

    assert held == Held("low", 0, date(2025, 12, 31))


@given(st.lists(st.tuples(LEVELS, st.integers(0, 40)), min_size=1, max_size=60))
def test_a_level_is_never_under_the_rules_and_never_falls_within_two_months(
    steps: list[tuple[str, int]],
) -> None:
    held, day, raised = None, START, START
    for now, gap in steps:
        day += timedelta(days=gap)
        before, held = held, night(held, now, day)
        assert held is not None
        assert RANKS[held.level] <= RANKS[now]
        if before and RANKS[held.level] > RANKS[before.level]:
            assert held.level == now
            assert day - raised > timedelta(days=31)
            raised = day
        elif before is None or held.level != before.level:
            raised = day
        assert night(held, now, day) == held  # once a night is enough


@pytest.mark.parametrize(
    ("day", "month_end"),
    [
        (date(2026, 2, 28), date(2026, 2, 28)),
        (date(2024, 2, 28), date(2024, 1, 31)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (date(2026, 1, 1), date(2025, 12, 31)),
        (date(2026, 12, 31), date(2026, 12, 31)),
    ],
)
def test_the_last_month_end(day: date, month_end: date) -> None:
    assert last_month_end(day) == month_end


def test_what_is_read_comes_first() -> None:
    order = evaluation_order(
        {"c": frozenset({"b", "x"}), "b": frozenset({"a"}), "a": frozenset({"x"})}
    )

    assert order == [["a"], ["b"], ["c"]]


def test_a_circle_is_refused_and_named() -> None:
    with pytest.raises(Invalid) as refused:
        evaluation_order({"a": frozenset({"b"}), "b": frozenset({"a"}), "c": frozenset()})

    assert refused.value.reason == "circular_rules"
    assert [fault.pointer for fault in refused.value.errors] == ["/a", "/b"]


CATALOGUE = Catalogue(
    [
        Attribute("party_type", AttributeType.ENUM, ("person", "small_business", "company")),
        Attribute("aum", AttributeType.DECIMAL),
    ]
)


def scale(*levels: tuple[str, str | None], where: str | None = None) -> Scale:
    rows = tuple(ScaleLevel(key=key, zh=key, en=key, rule=rule) for key, rule in levels)
    return Scale(key="size", zh="量", en="Size", columns={"retail": rows}, where=where)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (scale(("a", "aum > 1"), ("a", None)), "/retail"),
        (scale(("a", None), ("b", "aum > 1")), "/retail"),
        (scale(("a", "aum > 1"), ("b", "amu > 1")), "/retail/1/rule"),
        (scale(("a", None), where="nothing = 1"), "/where"),
    ],
)
def test_what_is_no_scale_is_refused_with_its_place(wrong: Scale, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_scale(wrong, CATALOGUE)

    assert refused.value.errors[0].pointer == pointer
