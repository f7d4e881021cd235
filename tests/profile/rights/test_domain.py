from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.rights import domain
from services.profile.rights.domain import (
    Decider,
    Kind,
    NobodyWaits,
    Receipt,
    Request,
    RequestDecided,
    State,
    UnknownReason,
)
from shared.errors import SecondPersonNeeded

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
OFFICER = Decider(person="s-officer", at=NOW + timedelta(days=1))
REASONS = {"law_forbids", "repeated"}


def received(kind: Kind = Kind.ERASURE) -> Request:
    return domain.received("r1", "c1", kind, by="s-desk", at=NOW, due_days=30)


def erasing(*readers: str) -> Request:
    return domain.carrying_out(received(), OFFICER, records=["c1", "c2"], readers=readers)


def receipt(day: int = 2) -> Receipt:
    return Receipt(at=NOW + timedelta(days=day), stores=[])


def test_p14_a_request_has_an_id_a_state_and_a_day_thirty_days_ahead() -> None:
    request = received()

    assert (request.request_id, request.state) == ("r1", State.RECEIVED)
    assert request.due_at - NOW == timedelta(days=30)
    assert not request.is_overdue(request.due_at)
    assert request.is_overdue(request.due_at + timedelta(seconds=1))


def test_p14_a_refusal_names_a_reason_of_the_catalogue_and_closes_the_request() -> None:
    refused = domain.refused(received(), "repeated", OFFICER, known=REASONS)

    assert (refused.state, refused.reason) == (State.REFUSED, "repeated")
    assert (refused.decided_by, refused.closed_at) == ("s-officer", OFFICER.at)
    assert not refused.is_overdue(NOW + timedelta(days=99))
    with pytest.raises(UnknownReason, match="law_forbids, repeated"):
        domain.refused(received(), "no_time", OFFICER, known=REASONS)


def test_a_request_is_decided_once() -> None:
    for kind in (Kind.ACCESS, Kind.CORRECTION):
        done = domain.fulfilled(received(kind), OFFICER)
        assert (done.state, done.closed_at) == (State.FULFILLED, OFFICER.at)
        with pytest.raises(RequestDecided):
            domain.refused(done, "repeated", OFFICER, known=REASONS)


def test_p13_another_person_than_who_took_the_request_begins_an_erasure() -> None:
    with pytest.raises(SecondPersonNeeded, match="s-desk"):
        domain.carrying_out(
            received(), Decider(person="s-desk", at=NOW), records=["c1"], readers=[]
        )


def test_p13_receipts_are_awaited_of_the_suite_and_of_all_who_follow_it() -> None:
    request = erasing("data_lake", "segment")

    assert request.readers == ["data_lake", "feedback", "profile", "segment", "strategy"]
    assert request.awaited == request.readers
    assert request.records == ["c1", "c2"]


@given(order=st.permutations(["data_lake", "feedback", "profile", "segment", "strategy"]))
def test_p13_the_last_receipt_ends_an_erasure_in_whatever_order_they_come(order: list[str]) -> None:
    request = erasing("data_lake")
    for day, reader in enumerate(order):
        assert request.state is State.CARRYING_OUT
        request = domain.acknowledged(request, reader, receipt(day))

    assert (request.state, request.awaited) == (State.FULFILLED, [])
    assert request.closed_at == receipt(len(order) - 1).at
    assert domain.acknowledged(request, order[0], receipt(9)) == request


def test_a_receipt_that_nobody_awaits_is_refused() -> None:
    with pytest.raises(NobodyWaits, match="profile"):
        domain.acknowledged(erasing(), "data_lake", receipt())
    with pytest.raises(NobodyWaits, match="nobody"):
        domain.acknowledged(received(), "profile", receipt())
