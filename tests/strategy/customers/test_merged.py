"""Records of one party: their contacts, refusals and complaints count together (L9)."""

import asyncio

import pytest

from services.strategy.customers import repository
from services.strategy.customers import service as customers
from shared.database import Database
from tests.strategy.bank import ALL_SCOPES, answer, apply, arrive, keyed, merge

pytestmark = pytest.mark.anyio
COLUMNS = (
    "customer_id, features::text, levels, segments, consents, personalization,"
    " automated_decisions, flags, risk_class, complaints, suppressions, impressions, merged_into"
)


async def reserve(api, customer_id: str) -> str | None:
    body = {"customer_id": customer_id, "channel": "sms", "purpose": "marketing"}
    response = await api.post("/v1/contacts", json=body, headers=keyed())
    return None if response.status_code == 201 else response.json()["code"]


async def propose(api, customer_id: str) -> dict:
    path = f"/v1/customers/{customer_id}/recommendations"
    response = await api.get(path, headers=ALL_SCOPES)
    assert response.status_code == 200, response.text
    return response.json()


async def states(database: Database) -> list[dict]:
    async with database.connection() as connection:
        rows = await connection.fetch(f"SELECT {COLUMNS} FROM customer_state ORDER BY 1")
    return [dict(row) for row in rows]


async def complain(database: Database, customer_id: str, closed_at: str | None) -> None:
    kind = "closed" if closed_at else "opened"
    data = {"customer_id": customer_id, "complaint_id": f"k-{customer_id}", "closed_at": closed_at}
    await apply(database, customers.safety_handlers(), f"profile.complaint_{kind}.v1", **data)


async def test_l9_b11_caps_count_the_contacts_of_all_records(api, database) -> None:
    await arrive(database, "c1")
    await arrive(database, "c2")
    assert await reserve(api, "c2") is None

    await merge(database, "c2", "c1")
    assert await reserve(api, "c1") == "cap_reached"
    assert await reserve(api, "c2") == "cap_reached"

    await merge(database, "c2", None)
    assert await reserve(api, "c1") is None


async def test_b11_caps_hold_while_records_are_merged(api, database) -> None:
    await arrive(database, "c1")
    await arrive(database, "c2")
    await merge(database, "c2", "c1")

    told = await asyncio.gather(*(reserve(api, f"c{number % 2 + 1}") for number in range(40)))

    assert told.count(None) == 1
    assert told.count("cap_reached") == 39


async def test_l9_what_either_record_refused_is_not_offered(api, database) -> None:
    await arrive(database, "c1")
    await arrive(database, "c2")
    before = await propose(api, "c1")
    refused = before["propositions"][0]
    await answer(database, refused, "refused", customer_id="c2")

    await merge(database, "c2", "c1")
    merged = await propose(api, "c1")
    assert refused["action"] not in [each["action"] for each in merged["propositions"]]

    await merge(database, "c2", None)
    after = await propose(api, "c1")
    assert refused["action"] in [each["action"] for each in after["propositions"]]


async def test_l9_a_merged_id_is_answered_as_the_survivor(api, database) -> None:
    await arrive(database, "c1", risk_class=1)
    await arrive(database, "c2", risk_class=5)
    await merge(database, "c2", "c1")

    decided = await propose(api, "c2")

    assert decided["customer_id"] == "c1"
    record = await api.get(f"/v1/decisions/{decided['decision_id']}", headers=ALL_SCOPES)
    assert record.json()["customer_id"] == "c1"
    async with database.connection() as connection:
        found = await repository.find(connection, "c2")
    assert found is not None
    assert (found.id, found.risk_class) == ("c1", 1)


async def test_a_request_repeated_by_a_merged_id_is_answered_once(api, database) -> None:
    await arrive(database, "c1")
    await arrive(database, "c2")
    await merge(database, "c2", "c1")
    body = {"customer_id": "c2", "channel": "app", "request_id": "r1"}

    first = await api.post("/v1/decisions", json=body, headers=ALL_SCOPES)
    again = await api.post("/v1/decisions", json=body, headers=ALL_SCOPES)

    assert first.status_code == 200
    assert first.content == again.content


async def test_b12_l9_an_open_complaint_of_either_record_holds_and_is_taken_back(
    api, database
) -> None:
    await arrive(database, "c1")
    await arrive(database, "c2")
    await complain(database, "c2", None)
    await merge(database, "c2", "c1")
    assert await reserve(api, "c1") == "complaint_open"

    await complain(database, "c1", None)
    data = {"customer_id": "c1", "complaint_id": "k-c2", "closed_at": "2026-03-04T01:00:00Z"}
    await apply(database, customers.safety_handlers(), "profile.complaint_closed.v1", **data)
    await merge(database, "c2", None)

    first, second = await states(database)
    assert first["complaints"] == {"k-c1": None}
    assert second["complaints"] == {"k-c2": "2026-03-04T01:00:00Z"}


async def test_l9_parted_again_both_states_are_as_before(api, database) -> None:
    await arrive(database, "c1")
    await arrive(database, "c2")
    proposition = (await propose(api, "c2"))["propositions"][0]
    await answer(database, proposition, "refused", customer_id="c2")
    await answer(database, proposition, "seen", customer_id="c1")
    await complain(database, "c2", None)
    before = await states(database)

    for record, survivor in (("c2", "c1"), ("c2", "c1"), ("c2", None), ("c2", None)):
        await merge(database, record, survivor)

    assert await states(database) == before
