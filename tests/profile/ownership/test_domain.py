from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.profile.ownership import domain
from services.profile.ownership.domain import (
    BadTerm,
    Decision,
    HandOver,
    HandOverSettled,
    SameManager,
    State,
    UnknownHandOverReason,
    next_state,
)
from shared.errors import SecondPersonNeeded

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
OTHER = Decision(by="s-2", at=NOW)


def proposed(**facts: Any) -> HandOver:
    usual = {
        "hand_over_id": "h1", "from_rm": "rm1", "to_rm": "rm2", "org": None, "customers": None,
        "reason": "leave", "since": TODAY, "until": date(2026, 3, 6), "state": State.PROPOSED,
        "proposed_by": "s-1", "proposed_at": NOW,
    }  # fmt: skip
    return HandOver(**{**usual, **facts})


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"to_rm": "rm1"}, SameManager),
        ({"until": date(2026, 3, 1)}, BadTerm),
        ({"since": date(2026, 3, 8), "until": date(2026, 3, 7)}, BadTerm),
        ({"reason": "mood"}, UnknownHandOverReason),
    ],
)
def test_what_makes_no_sense_is_refused(facts: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        domain.check(proposed(**facts), reasons=frozenset({"leave"}), today=TODAY)


def test_another_person_accepts_and_that_settles_a_dispute() -> None:
    with pytest.raises(SecondPersonNeeded):
        domain.accepted(proposed(), Decision(by="s-1", at=NOW))

    objected = domain.disputed(proposed(), "too_many", OTHER)
    settled = domain.accepted(objected, OTHER)

    assert (objected.state, objected.dispute) == (State.DISPUTED, "too_many")
    assert (settled.state, settled.decided_by) == (State.ACCEPTED, "s-2")
    with pytest.raises(HandOverSettled, match="accepted"):
        domain.disputed(settled, "too_many", OTHER)


def test_it_is_called_off_before_its_day_alone() -> None:
    assert domain.cancelled(proposed(), OTHER).state is State.CANCELLED
    with pytest.raises(HandOverSettled):
        domain.cancelled(proposed(state=State.IN_EFFECT), OTHER)


def test_a_substitution_begins_on_its_day_and_ends_after_its_last() -> None:
    accepted = proposed(state=State.ACCEPTED, since=date(2026, 3, 3))
    in_effect = proposed(state=State.IN_EFFECT)

    assert next_state(accepted, TODAY) is None
    assert next_state(accepted, date(2026, 3, 3)) is State.IN_EFFECT
    assert next_state(in_effect, date(2026, 3, 6)) is None
    assert next_state(in_effect, date(2026, 3, 7)) is State.RETURNED
    assert next_state(proposed(state=State.IN_EFFECT, until=None), date(2030, 1, 1)) is None
