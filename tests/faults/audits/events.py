"""Every acknowledged event is there once, with its content, and in the features."""

from collections import defaultdict
from collections.abc import Iterable

from tests.faults.books import Books, Json, money
from tests.faults.comparison import differences, lost_doubled_or_strange
from tests.faults.expected import NOTHING, features_of
from tests.faults.ledger import Event, Fate, Ledger
from tests.faults.pages import TODAY


def audit_events(ledger: Ledger, books: Books) -> list[str]:
    """Compare the export and every customer's timeline with the ledger."""
    rows = books.events()
    found = [row["event_id"] for row in rows]
    wrong = lost_doubled_or_strange(
        "event",
        acknowledged=_ids(ledger, Fate.ACKNOWLEDGED),
        unknown=_ids(ledger, Fate.UNKNOWN),
        found=found,
    )
    sent = {event.event_id: event for batch in ledger.batches for event in batch.events}
    wrong += [f"{row} is not what was sent" for row in rows if not _is_same(sent, row)]
    wrong += _halves(ledger, set(found))
    return wrong + _timelines(rows, books)


def audit_features(ledger: Ledger, books: Books) -> list[str]:
    """Compare the features with those of the events that took effect."""
    recorded = {row["event_id"] for row in books.events()}
    events: dict[str, list[Event]] = defaultdict(list)
    for batch in ledger.batches:
        for event in batch.events:
            if event.event_id in recorded:
                events[event.customer_id].append(event)
    told = books.features()
    wrong: list[str] = []
    for customer, history in events.items():
        expected = features_of(history, TODAY.date())
        found = {name: money(told[customer][name] or 0) for name in expected}
        wrong += differences(customer, expected, found, NOTHING)
    return wrong


def audit_what_strategy_knows(books: Books, customers: Iterable[str]) -> list[str]:
    """Compare the age of the features that decisions are made from with profile's own."""
    told = books.features()
    return [
        f"strategy knows {customer} as of {known}, profile as of {told[customer]['as_of']}"
        for customer in customers
        if (known := books.features_known_to_strategy(customer)) != told[customer]["as_of"]
    ]


def _ids(ledger: Ledger, fate: Fate) -> Iterable[str]:
    return [e.event_id for batch in ledger.batches if batch.fate is fate for e in batch.events]


def _is_same(sent: dict[str, Event], row: Json) -> bool:
    event = sent.get(row["event_id"])
    return event is None or (
        (event.customer_id, event.type, event.occurred_at, event.amount)
        == (row["customer_id"], row["type"], row["occurred_at"], row["amount"])
    )


def _halves(ledger: Ledger, found: set[str]) -> list[str]:
    """Name the batches of which only a part was recorded."""
    return [
        f"of {ids} only {ids & found} were recorded"
        for ids in ({event.event_id for event in batch.events} for batch in ledger.batches)
        if 0 < len(ids & found) < len(ids)
    ]


def _timelines(rows: list[Json], books: Books) -> list[str]:
    by_customer: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        by_customer[row["customer_id"]].append(row["event_id"])
    return [
        problem
        for customer, ids in by_customer.items()
        for problem in lost_doubled_or_strange(
            f"{customer}'s timeline: event",
            acknowledged=ids,
            unknown=(),
            found=[entry["id"] for entry in books.timeline(customer, "event")],
        )
    ]
