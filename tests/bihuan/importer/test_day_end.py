import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bihuan.importer.day_end import day_ends, in_order


def _ends(*bookings: tuple[int, int, int, int]) -> tuple[list[int], list[int]]:
    found = day_ends(*np.array(bookings, dtype=np.int64).T)
    return found.sequence.tolist(), found.off_fen.tolist()


def test_the_balance_nearest_to_the_running_sum_closes_the_day() -> None:
    # three bookings of one day, told in no order: 500 in, 200 out, 100 in
    sequence, off = _ends((1, 7, 100, 400), (1, 7, 500, 500), (1, 7, -200, 300))

    assert sequence == [2, 0, 1]
    assert off == [0]


def test_rounded_amounts_leave_the_nearest_balance_off_by_little() -> None:
    sequence, off = _ends((1, 7, 500, 498), (1, 7, -200, 299))

    assert sequence == [0, 1]
    assert off == [1]


def test_the_sum_runs_on_from_day_to_day_and_anew_for_each_holding() -> None:
    sequence, off = _ends((1, 7, 500, 500), (2, 8, 50, 50), (1, 9, -100, 400), (2, 9, 50, 100))

    assert sequence == [0, 0, 0, 0]
    assert off == [0, 0, 0, 0]


def test_of_equally_near_balances_the_later_entry_closes_the_day() -> None:
    sequence, _ = _ends((1, 7, 100, 100), (1, 7, -100, 0), (1, 7, 100, 100))

    assert sequence == [0, 1, 2]


def test_no_bookings_have_no_day() -> None:
    empty = np.array([], dtype=np.int64)
    for found in (day_ends(*[empty] * 4), in_order(*[empty] * 5)):
        assert len(found.sequence) == len(found.off_fen) == 0


def test_the_latest_booking_closes_the_day_and_of_one_moment_the_last_told() -> None:
    # holding, day, moment, fen, balance; it had 1000 before
    bookings = [(1, 7, 90, 50, 1_150), (1, 7, 30, 100, 1_100), (1, 7, 90, -20, 1_130)]
    found = in_order(*np.array(bookings, dtype=np.int64).T)

    assert found.sequence.tolist() == [1, 0, 2]
    assert found.off_fen.tolist() == [0]


def test_a_missing_booking_is_told_on_its_own_day_alone() -> None:
    days = [(1, 7, 7, 100, 600), (1, 8, 8, 100, 850), (1, 9, 9, 100, 950), (2, 8, 8, 10, 10)]
    found = in_order(*np.array(days, dtype=np.int64).T)

    assert found.off_fen.tolist() == [0, 150, 0, 0], "150 came in on day 8 that nobody told"


LEDGERS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(-5_000, 5_000)), min_size=1
)


@given(LEDGERS, st.randoms(use_true_random=False))
def test_a_true_ledger_told_in_any_order_is_recovered_exactly(
    bookings: list[tuple[int, int, int]], dice: "object"
) -> None:
    """Whatever the order of the rows, each day closes at its true balance."""
    true: list[tuple[int, int, int, int]] = []
    balance = {0: 0, 1: 0, 2: 0}
    for holding, day, fen in sorted(bookings, key=lambda b: b[1]):
        balance[holding] += fen
        true.append((holding, day, fen, balance[holding]))
    closing = {(holding, day): after for holding, day, _, after in true}
    told = list(true)
    dice.shuffle(told)  # type: ignore[attr-defined]
    found = day_ends(*np.array(told, dtype=np.int64).T)

    assert (found.off_fen == 0).all()
    last = {}
    for at in np.argsort(found.sequence, kind="stable").tolist():
        holding, day, _, after = told[at]
        last[holding, day] = after
    assert last == closing
    assert sorted(found.sequence.tolist()) == sorted(
        place
        for key in closing
        for place in range(sum((holding, day) == key for holding, day, _, _ in true))
    )
