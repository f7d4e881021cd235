import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bihuan.demo.ledger import opening_balances, running

BOOKINGS = st.lists(st.tuples(st.integers(0, 3), st.integers(-900, 900)), min_size=1, max_size=40)


def test_running_sums_start_anew_at_each_holding() -> None:
    holding, fen = np.array([0, 0, 2, 2, 2]), np.array([5, -2, 7, 1, -3])

    assert running(holding, fen).tolist() == [5, 3, 7, 8, 5]


@given(BOOKINGS)
def test_an_opened_ledger_is_never_overdrawn_and_ends_no_lower_than_wanted(
    bookings: list[tuple[int, int]],
) -> None:
    holding, fen = np.array(sorted(bookings, key=lambda b: b[0])).T
    wanted = np.array([100, 0, 50, 10])
    opening = opening_balances(holding, fen, wanted)

    after = opening[holding] + running(holding, fen)
    sums = np.bincount(holding, fen, 4)
    assert (opening >= 0).all()
    assert (after >= 0).all()
    assert (opening + sums >= wanted).all()
