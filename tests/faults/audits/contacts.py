"""Nobody is contacted twice: one contact a key, one message a contact, caps at every moment."""

import time
from collections import Counter

from tests.e2e.running import RunningSuite
from tests.faults.books import PATIENCE_SECONDS, Books, Feed
from tests.faults.comparison import lost_doubled_or_strange
from tests.faults.ledger import Contact, Fate, Ledger, Wish

ENDS = {Wish.CONFIRM: "confirmed", Wish.RELEASE: "released"}
Kind = tuple[str, str, str]


def audit_sends(ledger: Ledger, books: Books) -> list[str]:
    """Compare what the provider sent with the caps, and keys with contacts."""
    cap = books.most_contacts_a_day()
    keys = Counter(contact_id for c in ledger.contacts for contact_id in c.contact_ids)
    return [
        *(
            f"{c.key} got contacts {c.contact_ids}"
            for c in ledger.contacts
            if len(c.contact_ids) > 1
        ),
        *(f"contact {contact_id} answers {n} keys" for contact_id, n in keys.items() if n > 1),
        *(
            f"contact {contact_id} was sent {n} times"
            for contact_id, n in ledger.sends.items()
            if n > 1
        ),
        *(
            f"{customer} got {n} marketing messages, the cap is {cap}"
            for customer, n in ledger.marketing_sends().items()
            if n > cap
        ),
    ]


def audit_contacts(ledger: Ledger, books: Books) -> list[str]:
    """Compare the contacts' states, and the feed that tells of them, with the ledger."""
    feed = books.feed("strategy")
    granted = {c.contact_id: c for c in ledger.contacts if c.contact_id is not None}
    reserved = {d["contact_id"]: d for d in feed.of_type("strategy.contact_reserved.v1")}
    wrong = lost_doubled_or_strange(
        "contact",
        acknowledged=granted,
        unknown=reserved,
        found=[d["contact_id"] for d in feed.of_type("strategy.contact_reserved.v1")],
    )
    orphans = Counter(
        (d["customer_id"], d["channel"], d["purpose"])
        for contact_id, d in reserved.items()
        if contact_id not in granted
    )
    given_up = Counter(_kind(c) for c in ledger.contacts if c.fate is Fate.UNKNOWN)
    wrong += [
        f"{n} contacts of {kind} that no key explains" for kind, n in (orphans - given_up).items()
    ]
    for contact_id, contact in granted.items():
        expected = ENDS[contact.wish] if contact.settled is Fate.ACKNOWLEDGED else "reserved"
        if (state := books.contact_state(contact_id)) != expected:
            wrong.append(f"contact {contact_id} is {state}, not {expected}")
    return wrong + _ends(feed, granted) + _excesses(feed, books.most_contacts_a_day())


def audit_timelines_of_contacts(books: Books, customers: list[str]) -> list[str]:
    """Compare profile's timelines with strategy's feed."""
    last: dict[str, dict[str, str]] = {customer: {} for customer in customers}
    for event in books.feed("strategy").events:
        word = event["type"].split(".")[1]
        if word in {"contact_reserved", "contact_confirmed", "contact_released"}:
            last[event["subject"]][event["data"]["contact_id"]] = word
    wrong: list[str] = []
    for customer, contacts in last.items():
        entries = [e for e in books.timeline(customer, "contact") if e["type"] != "contact_refused"]
        wrong += lost_doubled_or_strange(
            f"{customer}'s timeline: contact",
            acknowledged={f"{each} {word}" for each, word in contacts.items()},
            unknown=(),
            found=[f"{entry['id']} {entry['type']}" for entry in entries],
        )
    return wrong


def audit_expired(ledger: Ledger, books: Books) -> list[str]:
    """Name the contacts that were neither confirmed nor released and have not expired."""
    forgotten = [c.contact_id for c in ledger.contacts if c.contact_id and c.settled is None]
    states = {contact_id: books.contact_state(contact_id) for contact_id in forgotten}
    return [f"contact {each} is {state}" for each, state in states.items() if state != "expired"]


def audit_room_under_caps(suite: RunningSuite, books: Books, customers: list[str]) -> list[str]:
    """Ask for one more contact of every customer: expired ones count, released ones do not."""
    cap, counts = books.most_contacts_a_day(), _counting(books.feed("strategy"))
    wrong: list[str] = []
    for customer in customers:
        code = _code_of_one_more(suite, customer)
        if code != (None if counts[customer] < cap else "cap_reached"):
            wrong.append(f"{customer} has {counts[customer]} of {cap} contacts; one more: {code}")
    return wrong


def _code_of_one_more(suite: RunningSuite, customer: str) -> str | None:
    """Return why a customer may not be contacted once more; None: they may."""
    wanted = {"customer_id": customer, "channel": "sms", "purpose": "marketing"}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        key = {"Idempotency-Key": f"more-{customer}"}
        answer = suite.call("POST", "/v1/contacts", json=wanted, headers=key)
        code = None if answer.is_success else answer.json()["code"]
        if code != "consent_unknown" or time.monotonic() > deadline:
            return code


def _counting(feed: Feed) -> Counter[str]:
    """Count, by customer, the marketing contacts that were reserved and not released."""
    counts: Counter[str] = Counter()
    for data in feed.of_type("strategy.contact_reserved.v1"):
        counts[data["customer_id"]] += data["purpose"] == "marketing"
    for data in feed.of_type("strategy.contact_released.v1"):
        counts[data["customer_id"]] -= data["purpose"] == "marketing"
    return counts


def _kind(contact: Contact) -> Kind:
    return contact.customer_id, contact.channel, contact.purpose


def _ends(feed: Feed, granted: dict[str, Contact]) -> list[str]:
    """Compare what the feed tells of ends with the ledger."""
    wrong: list[str] = []
    for wish, word in ENDS.items():
        mine = [c for c in granted.values() if c.wish is wish]
        wrong += lost_doubled_or_strange(
            f"{word} contact",
            acknowledged=[c.contact_id or "" for c in mine if c.settled is Fate.ACKNOWLEDGED],
            unknown=[c.contact_id or "" for c in mine],
            found=[d["contact_id"] for d in feed.of_type(f"strategy.contact_{word}.v1")],
        )
    return wrong


def _excesses(feed: Feed, cap: int) -> list[str]:
    """Name the moments at which more marketing contacts counted than the cap allows."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for event in feed.events:
        change = {"contact_reserved": 1, "contact_released": -1}.get(event["type"].split(".")[1], 0)
        if change and event["data"]["purpose"] == "marketing":
            counts[event["subject"]] += change
            if counts[event["subject"]] > cap:
                wrong.append(f"{event['subject']} has {counts[event['subject']]} contacts of {cap}")
    return wrong
