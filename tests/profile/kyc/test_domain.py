from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.assessments.domain import Assessment
from services.profile.customers.domain import FACTS, Customer
from services.profile.kyc.domain import (
    Card,
    ConfirmedAhead,
    Fact,
    Kept,
    KycFactElsewhere,
    KycValueMissing,
    State,
    Stated,
    check_confirmed,
    check_put,
    entries_of,
    fact_of,
    items_of,
    months_before,
)
from services.profile.needs.domain import Goal
from services.profile.vocabulary import kyc_items

NOW = datetime(2026, 3, 2, tzinfo=UTC)
OLDEST = months_before(NOW, 24)
ITEMS = kyc_items()


def stated(updated_at: datetime = NOW, **facts: object) -> Stated:
    customer = Customer(
        customer_id="c",
        facts={**dict.fromkeys(FACTS), **facts},
        identifiers={"name": "张*"},
        created_at=updated_at,
        updated_at=updated_at,
    )
    return Stated(customer=customer, assessment=None, goals=[])


def kept(item: str, confirmed_at: datetime = NOW, *, is_sealed: bool = True) -> Kept:
    return Kept(item=item, source="rm", confirmed_at=confirmed_at, is_sealed=is_sealed)


moments = st.integers(-900, 5).map(lambda days: NOW + timedelta(days=days))
cards = st.dictionaries(st.sampled_from(list(ITEMS)), moments)


@given(
    st.sampled_from(["person", "small_business", "company"]),
    cards,
    moments,
    st.none() | st.just("employee"),
    st.none() | st.booleans(),
)
def test_every_item_lies_in_one_pane_and_completeness_counts_the_open_one(
    party_type: str,
    confirmed: dict[str, datetime],
    updated_at: datetime,
    occupation: str | None,
    has_car: bool | None,
) -> None:
    items = items_of(party_type, ITEMS)
    entries = entries_of(
        items,
        stated(updated_at, occupation=occupation, has_car=has_car),
        {key: kept(key, at, is_sealed=ITEMS[key].fact is None) for key, at in confirmed.items()},
        oldest=OLDEST,
    )
    card = Card(customer_id="c", entries=entries, blind=[])

    panes = [item.key for state in State for item in card.pane(state)]
    assert sorted(panes) == sorted(item.key for item in items)
    assert len(items) == 20
    assert card.completeness == len(card.pane(State.FILLED)) / 20
    for entry in entries:
        is_known = entry.confirmed_at is not None
        assert (entry.state == State.UNFILLED) == (not is_known)
        if entry.confirmed_at is not None:
            assert (entry.state == State.OUTDATED) == (entry.confirmed_at <= OLDEST)
        assert not (entry.is_sealed and entry.value is not None)


@given(moments, moments)
def test_to_confirm_a_fact_again_never_makes_it_older(one: datetime, other: datetime) -> None:
    (entry,) = entries_of(
        [ITEMS["occupation"]],
        stated(one, occupation="employee"),
        {"occupation": kept("occupation", other, is_sealed=False)},
        oldest=OLDEST,
    )

    assert entry.confirmed_at == max(one, other)
    assert entry.value == "employee"


def test_a_fact_that_is_not_stated_any_more_is_unfilled_whoever_confirmed_it() -> None:
    (entry,) = entries_of(
        [ITEMS["occupation"]],
        stated(),
        {"occupation": kept("occupation", is_sealed=False)},
        oldest=OLDEST,
    )

    assert entry.state == State.UNFILLED


def test_facts_come_from_columns_identifiers_the_assessment_and_goals() -> None:
    then = NOW - timedelta(days=9)
    known = Stated(
        customer=stated(has_car=False).customer,
        assessment=Assessment(
            risk_class=3,
            assessed_at=then,
            valid_until=NOW,
            questionnaire_version="1",
            submitted_by="app",
        ),
        goals=[
            Goal(goal_id="g", kind="home", priority=1, source="rm", stated_at=then),
            Goal(
                goal_id="h", kind="car", priority=2, source="rm", stated_at=NOW, horizon=NOW.date()
            ),
        ],
    )

    assert fact_of("customer.has_car", known) == Fact(False, NOW)
    assert fact_of("customer.occupation", known) is None
    assert fact_of("identifier.name", known) == Fact("张*", NOW)
    assert fact_of("identifier.phone", known) is None
    assert fact_of("assessment.risk_class", known) == Fact(3, then)
    assert fact_of("assessment.risk_class", stated()) is None
    assert fact_of("goal.kind", known) == Fact(["car", "home"], NOW)
    assert fact_of("goal.horizon", known) == Fact([NOW.date()], NOW)
    assert fact_of("goal.horizon", stated()) is None


@pytest.mark.parametrize("item", ITEMS.values(), ids=lambda item: item.key)
def test_every_fact_of_the_catalogue_is_one_that_can_be_found(item) -> None:
    if item.fact is not None:
        fact_of(item.fact, stated())


def test_a_fact_takes_no_value_and_a_value_must_be_sent() -> None:
    fact = Fact("employee", NOW)
    check_put(ITEMS["occupation"], None, fact)
    check_put(ITEMS["address"], "here", None)

    with pytest.raises(KycFactElsewhere):
        check_put(ITEMS["occupation"], "employee", fact)
    with pytest.raises(KycValueMissing):
        check_put(ITEMS["occupation"], None, None)
    with pytest.raises(KycValueMissing):
        check_put(ITEMS["address"], None, None)


def test_nobody_confirms_ahead_of_time() -> None:
    check_confirmed(NOW + timedelta(minutes=5), NOW)
    with pytest.raises(ConfirmedAhead):
        check_confirmed(NOW + timedelta(minutes=6), NOW)


def test_months_are_counted_back_to_the_same_day_or_the_last_one() -> None:
    def back(day: str, months: int) -> str:
        return months_before(datetime.fromisoformat(day), months).isoformat()[:10]

    assert back("2026-03-02", 24) == "2024-03-02"
    assert back("2026-01-31", 2) == "2025-11-30"
    assert back("2025-03-31", 1) == "2025-02-28"
    assert back("2024-02-29", 24) == "2022-02-28"
    assert back("2026-12-31", 12) == "2025-12-31"
