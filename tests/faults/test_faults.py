"""Kill anything at any moment: what the client was told stays true (statement L4)."""

import time
from collections.abc import Callable

import pytest

from tests.faults.audits.contacts import (
    audit_contacts,
    audit_expired,
    audit_room_under_caps,
    audit_sends,
    audit_timelines_of_contacts,
)
from tests.faults.audits.events import (
    audit_events,
    audit_features,
    audit_what_strategy_knows,
)
from tests.faults.audits.feeds import audit_feeds, audit_readers
from tests.faults.audits.outcomes import (
    audit_decisions,
    audit_effects,
    audit_outcomes,
    audit_performance,
    audit_timelines_of_outcomes,
    effective,
)
from tests.faults.audits.sales import audit_sales, audit_what_is_left
from tests.faults.ordeal import Aftermath

pytestmark = pytest.mark.timeout(3_600)

QUIET_SECONDS = 60.0
EXPIRY_SECONDS = 3.0  # the worker looks every second
EVENING = "2026-03-04T18:00:00+08:00"  # every reservation has expired, messages may still go out


def in_the_end(audit: Callable[[], list[str]], seconds: float = QUIET_SECONDS) -> list[str]:
    """Audit until nothing is wrong, or the time for things to come right is over."""
    deadline = time.monotonic() + seconds
    while (wrong := audit()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return wrong


def test_l4_all_recovers_and_nobody_is_told_of_a_fault(aftermath: Aftermath) -> None:
    assert aftermath.story.never_well == []
    assert aftermath.ledger.surprises == []


def test_l4_no_event_is_lost_or_counted_twice(aftermath: Aftermath) -> None:
    ledger, books = aftermath.ledger, aftermath.books
    assert audit_events(ledger, books) == []
    assert audit_features(ledger, books) == []
    assert in_the_end(lambda: audit_what_strategy_knows(books, aftermath.customers)) == []


def test_l4_no_decision_is_lost_or_made_twice(aftermath: Aftermath) -> None:
    assert in_the_end(lambda: audit_decisions(aftermath.ledger, aftermath.books)) == []


def test_l4_no_outcome_is_lost_or_applied_twice(aftermath: Aftermath) -> None:
    ledger, books = aftermath.ledger, aftermath.books
    assert in_the_end(lambda: audit_outcomes(ledger, books)) == []
    outcomes = effective(ledger, books)
    assert in_the_end(lambda: audit_performance(outcomes, books)) == []
    assert in_the_end(lambda: audit_timelines_of_outcomes(outcomes, books)) == []
    assert in_the_end(lambda: audit_effects(outcomes, books)) == []


def test_l4_no_customer_is_contacted_twice(aftermath: Aftermath) -> None:
    ledger, books = aftermath.ledger, aftermath.books
    assert audit_sends(ledger, books) == []
    assert in_the_end(lambda: audit_contacts(ledger, books)) == []
    customers = aftermath.customers
    assert in_the_end(lambda: audit_timelines_of_contacts(books, customers)) == []


def test_l4_no_quota_is_oversold(aftermath: Aftermath) -> None:
    assert audit_sales(aftermath.ledger) == []


@pytest.fixture(scope="module")
def evening(aftermath: Aftermath) -> Aftermath:
    """The same suite when every reservation that nobody settled has expired."""
    aftermath.suite.set_clock(EVENING)
    return aftermath


def test_l4_an_unconfirmed_contact_keeps_counting_and_a_released_one_does_not(
    evening: Aftermath,
) -> None:
    assert in_the_end(lambda: audit_expired(evening.ledger, evening.books)) == []
    assert audit_room_under_caps(evening.suite, evening.books, evening.customers) == []


def test_l4_no_unit_of_a_quota_is_lost(evening: Aftermath) -> None:
    time.sleep(EXPIRY_SECONDS)
    assert audit_what_is_left(evening.suite, evening.ledger) == []


def test_l4_feeds_have_no_gap_and_no_reader_is_stuck(aftermath: Aftermath) -> None:
    assert in_the_end(lambda: audit_feeds(aftermath.books, aftermath.epochs)) == []
    assert in_the_end(lambda: audit_readers(aftermath.books)) == []
