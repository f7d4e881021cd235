from datetime import datetime
from typing import Any

import pytest

from services.profile.timeline.service import Follower
from shared.feed import Event
from tests.profile.conftest import NOW, Profile, ago

pytestmark = pytest.mark.anyio


def told(name: str, data: dict[str, Any], number: int = 1) -> Event:
    return Event(
        id=f"id-{name}-{number}", source="/v1/feeds/x", type=name, subject="c1", time=NOW, data=data
    )


def contact(state: str, **data: Any) -> Event:
    facts = {"customer_id": "c1", "channel": "sms", "action": "a", "at": ago(1), **data}
    return told(f"strategy.contact_{state}.v1", facts)


def outcome(name: str, customer_id: str = "c1") -> Event:
    data = {
        "outcome_id": f"o-{name}", "proposition_id": "p1", "decision_id": "d1",
        "customer_id": customer_id, "outcome": name, "behaviour": "negative", "reason": None,
        "channel": "app", "direction": "in", "strategy": "s", "action": "a", "treatment": "t",
        "product": None, "category": None, "occurred_at": ago(0.5), "recorded_at": ago(0.5),
        "amount": None, "until": None,
    }  # fmt: skip
    return told("feedback.outcome_recorded.v1", data)


async def apply(profile: Profile, *events: Event) -> None:
    follower = Follower(profile.clock)
    for event in events:
        handler = follower.contacts() if event.type.startswith("strategy") else follower.outcomes()
        async with profile.database.transaction() as connection:
            await handler.apply(connection, [event], None)


async def test_events_contacts_and_answers_stand_in_one_order(profile: Profile) -> None:
    await profile.customer("c1")
    event = {"event_id": "e1", "customer_id": "c1", "type": "login", "occurred_at": ago(2)}
    await profile.ok("POST", "/events", json=event)
    await apply(
        profile,
        contact("reserved", contact_id="ct1", purpose="marketing", proposition_id="p1"),
        contact("confirmed", contact_id="ct1", purpose="marketing", proposition_id="p1"),
        contact("refused", code="cap_reached", at=ago(3)),
        outcome("clicked"),
    )

    found = (await profile.ok("GET", "/customers/c1/timeline"))["items"]
    contacts = (await profile.ok("GET", "/customers/c1/timeline?source=contact"))["items"]
    recent = (await profile.ok("GET", f"/customers/c1/timeline?since={_query(ago(1.5))}"))["items"]

    assert [(each["source"], each["type"]) for each in found] == [
        ("outcome", "clicked"),
        ("contact", "contact_confirmed"),
        ("event", "login"),
        ("contact", "contact_refused"),
    ]
    assert [each["facts"].get("code") for each in contacts] == [None, "cap_reached"]
    assert len(recent) == 2


async def test_the_timeline_pages_without_gap(profile: Profile) -> None:
    await profile.customer("c1")
    events = [
        {"event_id": f"e{n}", "customer_id": "c1", "type": "login", "occurred_at": ago(1 + n // 3)}
        for n in range(7)
    ]
    await profile.ok("POST", "/events", json={"events": events})

    seen: list[str] = []
    after = ""
    while True:
        page = await profile.ok("GET", f"/customers/c1/timeline?limit=2{after}")
        seen += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"

    assert seen == ["e2", "e1", "e0", "e5", "e4", "e3", "e6"]


async def test_an_answer_that_is_a_complaint_opens_one_once(profile: Profile) -> None:
    await profile.customer("c1")
    await apply(profile, outcome("complaint"), outcome("complaint"), outcome("complaint", "nobody"))

    complaints = (await profile.ok("GET", "/customers/c1/complaints"))["items"]

    assert [each["complaint_id"] for each in complaints] == ["o-complaint"]
    assert datetime.fromisoformat(complaints[0]["opened_at"]) == datetime.fromisoformat(ago(0.5))
    assert (await profile.features("c1"))["has_open_complaint"] is True
    assert len(await profile.feed("complaint_opened")) == 1


def _query(at: str) -> str:
    return at.replace("+", "%2B")
