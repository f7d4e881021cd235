"""What persons may ask about their data holds in every service and every store (P11 to P14)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import Column, Table, types
from sqlalchemy.dialects.postgresql import JSONB

from gateway.rights import service as gateway_rights
from services.feedback.subjects import HOLDER as FEEDBACK
from services.profile import subjects as profile
from services.profile.identifiers.service import key_ring
from services.segment.subjects import HOLDER as SEGMENT
from services.strategy.subjects import HOLDER as STRATEGY
from shared.feed import publish
from shared.subjects import Effect, Holder
from tests.contract.bank import consent, decide, person, ready, report, reserve, write
from tests.contract.suite import EVERY_SCOPE, EVERYTHING, NOW, Suite
from tests.kit import bearer

pytestmark = pytest.mark.anyio
RING = key_ring("one:" + "k" * 40)
OFFICER = bearer(*EVERY_SCOPE, actor="s-compliance")
DAY = date(2026, 1, 1)
PLAIN: Mapping[type, Any] = {
    types.Boolean: False,
    types.Integer: 1,
    types.Float: 1.0,
    types.Numeric: 1,
    types.Date: DAY,
    types.DateTime: datetime(2026, 1, 1, tzinfo=UTC),
}


def holders(suite: Suite) -> dict[str, Holder]:
    """The stores of each service."""
    app = suite.services["profile"].app
    of_profile = profile.holder(app.state.settings, app.state.clock)
    return {"profile": of_profile, "segment": SEGMENT, "strategy": STRATEGY, "feedback": FEEDBACK}


def sealed(kind: str) -> bytes:
    return RING.seal("c1", kind, '"seed:sealed"').body


GIVEN: Mapping[str, Mapping[str, Any]] = {
    "identifier": {"kind": "email", "sealed": sealed("email"), "digest": b""},
    "source_reference": {"system": "crm", "sealed": sealed("crm")},
    "kyc_value": {"item": "interests", "sealed": sealed("kyc.interests")},
    "decision": {"situation": b'{"seed": "seed:strategy.decision"}', "shortlist": b""},
    "decision_request": {"answer": b'{"seed": "seed:strategy.decision_request"}'},
    "feed_parked": {"retry_at": None, "lane": "main"},
    "feed_pending": {"data": "{}"},
    "reservation": {"state": "confirmed"},
    "relation": {"from_party": "c1", "to_party": "c1"},
}
"""What cannot be any value: what is opened, or acted upon."""
KEPT = {Effect.KEEP, Effect.BLANK}
LIVED = {"feed", "feed_version", "feed_seen", "feed_erased", "restricted"}
"""Stores that fill by themselves, or only once somebody is erased."""


def value_of(column: Column[Any], mark: str) -> Any:
    """A value of the column's type that bears the mark where it can."""
    kind: Any = column.type.impl if isinstance(column.type, types.TypeDecorator) else column.type
    if column.info.get("names") == "subject":
        return "c1"
    if isinstance(kind, types.JSON):
        return {"seed": mark}
    if isinstance(kind, types.LargeBinary):
        return mark.encode()
    item = kind.item_type if isinstance(kind, types.ARRAY) else kind
    plain = next((value for of, value in PLAIN.items() if isinstance(item, of)), mark)
    return plain if item is kind else [plain]


async def seed(suite: Suite) -> dict[str, set[str]]:
    """Put a row of customer c1 into every store; return the marks by service."""
    marks: dict[str, set[str]] = {}
    for service, holder in holders(suite).items():
        async with suite.services[service].database.transaction() as connection:
            for store in holder.stores:
                if store.name in LIVED:
                    continue
                table = holder.metadata.tables[store.name]
                mark = f"seed:{service}.{store.name}"
                values = _row(table, mark)
                names = ", ".join(f'"{name}"' for name in values)
                places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
                done = await connection.execute(
                    f"INSERT INTO {store.name} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING",
                    *values.values(),
                )
                if done == "INSERT 0 1" and mark in str(values.values()):
                    marks.setdefault(service, set()).add(mark)
    return marks


def _row(table: Table, mark: str) -> dict[str, Any]:
    given = GIVEN.get(table.name, {})
    columns = [each for each in table.columns if each.identity is None]
    row = {each.name: given.get(each.name, value_of(each, mark)) for each in columns}
    is_text = {
        each.name
        for each in columns
        if isinstance(each.type, types.JSON) and not isinstance(each.type, JSONB)
    }
    return {
        name: orjson.dumps(value).decode() if name in is_text and value != "{}" else value
        for name, value in row.items()
    }


async def ask(suite: Suite, kind: str, customer_id: str = "c1") -> str:
    asked = {"customer_id": customer_id, "kind": kind}
    return (await suite.call("POST", "/rights-requests", asked))["request_id"]


async def erase(suite: Suite, customer_id: str = "c1") -> dict[str, Any]:
    """Close the account and have the customer erased everywhere."""
    closed = {"opened_at": "2025-12-20", "closed_at": "2026-03-01"}
    await write(suite, customer_id, f"/accounts/a-{customer_id}", **closed)
    request_id = await ask(suite, "erasure", customer_id)
    await suite.call("POST", f"/rights-requests/{request_id}/fulfil", **OFFICER)
    await suite.settle()
    return await suite.get(f"/rights-requests/{request_id}")


async def copy_of(suite: Suite, request_id: str) -> dict[str, Any]:
    async def fetch(path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        answer = await suite.http.get(path, headers=dict(headers))
        return answer.status_code, answer.content

    return await gateway_rights.bundle(fetch, request_id, EVERYTHING)


async def test_every_store_of_a_customer_has_its_rule(suite: Suite) -> None:
    for holder in holders(suite).values():
        marked = {store.name for store in holder.stores}
        answers = {"idempotency_key"} & set(holder.metadata.tables)
        assert set(holder.rules) == marked | answers
        named = {
            table.name for table in holder.metadata.tables.values()
            if "customer_id" in table.columns or "subject" in table.columns
        }  # fmt: skip
        assert named <= marked
        for rule in holder.rules.values():
            assert rule.by is None or rule.by in holder.metadata.tables[rule.store].columns


async def test_p11_the_copy_holds_every_store_of_every_service(suite: Suite) -> None:
    await person(suite, name="Zhang San")
    await suite.settle()
    marks = await seed(suite)

    copy = await copy_of(suite, await ask(suite, "access"))

    assert copy["records"] == ["c1"]
    for service, holder in holders(suite).items():
        [part] = copy["services"][service]
        rows = {store["store"]: store["rows"] for store in part["stores"]}
        empty = {"restricted", "feed_erased", "feed_seen", "feed", "feed_version"}
        assert {name for name, found in rows.items() if not found} <= empty
        text = orjson.dumps(part).decode()
        assert {mark for mark in marks[service] if mark not in text} == set()
        assert set(rows) == {store.name for store in holder.stores}
    text = orjson.dumps(copy["services"]["profile"]).decode()
    assert "Zhang San" in text
    assert text.count('"\\"seed:sealed\\""') == 3
    read = (await suite.get("/unmaskings"))["items"]
    assert {each["purpose"] for each in read} >= {"rights_request"}
    for each in suite.services.values():
        async with each.database.connection() as connection:
            await connection.execute("DELETE FROM feed_parked")
    assert [store for store in STRATEGY.rules if store not in orjson.dumps(copy).decode()] == [
        "idempotency_key"
    ]


async def test_p13_an_erased_customer_is_nowhere_and_every_store_is_on_the_receipt(
    suite: Suite,
) -> None:
    await ready(suite)
    await person(suite, "c2")
    await suite.call(
        "PUT",
        "/customers/c1/relations/r1",
        {"kind": "household", "to_id": "c2", "source": "branch", "role": "spouse"},
    )
    [offer] = await decide(suite, limit=1)
    await report(suite, offer, "converted", amount={"amount": "100.00", "currency": "CNY"})
    assert (await reserve(suite))["state"] == "reserved"
    await suite.settle()
    await seed(suite)

    request = await erase(suite)

    assert (request["state"], request["awaited"]) == ("fulfilled", [])
    for service, holder in holders(suite).items():
        receipt = {each["store"]: each for each in request["receipts"][service]["stores"]}
        assert set(receipt) == set(holder.rules)
        async with suite.services[service].database.connection() as connection:
            for store in holder.stores:
                effect = holder.rules[store.name].on_erasure
                assert receipt[store.name]["effect"] == effect
                rows = await holder.rows(connection, store, "c1")
                if effect is Effect.BLANK:
                    told = {row["type"] for row in rows if row["data"]}
                    assert told <= {"profile.customer_erased.v1"}
                elif effect is not Effect.KEEP:
                    assert rows == [], store.name
            kept = {each for each, rule in holder.rules.items() if rule.on_erasure in KEPT}
            for table in holder.metadata.tables.values():
                found = await connection.fetch(
                    f"SELECT t::text AS row FROM {table.name} AS t WHERE t::text ~ '\\mc1\\M'"
                )
                assert table.name in kept or found == [], table.name
    taken = {each["store"]: each["rows"] for each in request["receipts"]["profile"]["stores"]}
    assert taken["customer"] == 1
    assert taken["relation"] >= 1
    sold = {each["store"]: each["rows"] for each in request["receipts"]["feedback"]["stores"]}
    assert sold["outcome"] >= 1


async def test_p13_decisions_treat_an_erased_customer_as_absent(suite: Suite) -> None:
    await ready(suite)
    await ready(suite, "c2")
    await erase(suite)

    assert (await suite.send("GET", "/customers/c1")).status_code == 404
    answer = await suite.call("POST", "/decisions", {"customer_id": "c1", "channel": "app"})
    stranger = await suite.call("POST", "/decisions", {"customer_id": "c9", "channel": "app"})
    assert answer["propositions"] == stranger["propositions"] == []
    assert (await reserve(suite))["code"] == (await reserve(suite, customer_id="c9"))["code"]
    assert (await decide(suite, customer_id="c2"))[0]["id"]


async def publish_late(suite: Suite) -> str:
    """Have strategy tell of a contact of c1 that somebody let go after the erasure."""
    contact_id = "late"
    async with suite.services["strategy"].database.transaction() as connection:
        await publish(
            connection,
            type="strategy.contact_released.v1",
            subject="c1",
            data={
                **dict.fromkeys(("action", "proposition_id")),
                "contact_id": contact_id,
                "customer_id": "c1",
                "channel": "sms",
                "purpose": "marketing",
                "at": NOW,
            },
            at=NOW,
            state=False,
        )
    return contact_id


async def test_p13_what_comes_late_brings_nobody_back(suite: Suite) -> None:
    await ready(suite)
    await erase(suite)

    again = await suite.send("PUT", "/customers/c1", {"party_type": "person"})
    paid = {"event_id": "e1", "customer_id": "c1", "type": "login", "occurred_at": NOW.isoformat()}
    told = await suite.call("POST", "/events", {"events": [paid]})
    late = await publish_late(suite)
    await suite.settle()

    assert (again.status_code, again.json()["code"]) == (410, "customer_erased")
    assert told["accepted"] == 0
    assert (await suite.events("strategy.contact_released.v1"))[-1]["data"]["contact_id"] == late
    async with suite.services["profile"].database.connection() as connection:
        for table in ("customer", "quarantine", "touch"):
            assert not await connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE customer_id = 'c1'"
            )


async def test_p13_what_law_wants_kept_is_sealed_and_each_reading_is_on_record(
    suite: Suite,
) -> None:
    await ready(suite)
    request = await erase(suite)

    path = f"/rights-requests/{request['request_id']}/unseal"
    found = (await suite.call("POST", path, {"purpose": "authority_request"}, **OFFICER))["items"]

    stores = {each["store"]: each for each in found}
    assert {"customer", "account", "holding", "assessment", "consent_record"} <= set(stores)
    assert stores["customer"]["rows"][0]["birth_date"] == "1988-05-01"
    assert stores["customer"]["kept_until"] == "2036-03-01"
    assert stores["assessment"]["kept_until"] == "2046-02-27"
    async with suite.services["profile"].database.connection() as connection:
        assert not await connection.fetchval(
            "SELECT count(*) FROM restricted WHERE encode(sealed, 'escape') LIKE '%1988%'"
        )
    [read] = [each for each in (await suite.get("/unmaskings"))["items"]
              if each["purpose"] == "authority_request"]  # fmt: skip
    assert read["actor"] == "s-compliance"


async def test_p13_a_reader_outside_the_suite_is_awaited(suite: Suite) -> None:
    await ready(suite)
    lake = {"lane": "main", "types": ["profile.features_changed.v1"], "cursor": None}
    await suite.send("PUT", "/feeds/profile/readers/data_lake", lake)

    request = await erase(suite)
    assert (request["state"], request["awaited"]) == ("carrying_out", ["data_lake"])
    path = f"/rights-requests/{request['request_id']}/receipts"
    stores = [{"store": "warehouse.features", "effect": "erase", "rows": 3}]
    false = await suite.send("POST", path, {"reader": "segment", "stores": stores})
    assert (false.status_code, false.json()["code"]) == (409, "receipt_not_awaited")

    done = await suite.call("POST", path, {"reader": "data_lake", "stores": stores})

    assert (done["state"], done["awaited"]) == ("fulfilled", [])
    assert done["receipts"]["data_lake"]["stores"] == stores


async def test_p13_outcomes_go_on_counting_but_lead_to_nobody(suite: Suite) -> None:
    await ready(suite)
    [offer] = await decide(suite, limit=1)
    sold = {"amount": "100.00", "currency": "CNY"}
    await report(suite, offer, "converted", amount=sold, context={"note": "said at the desk"})
    await suite.settle()

    await erase(suite)

    async with suite.services["feedback"].database.connection() as connection:
        row = await connection.fetchrow(
            "SELECT * FROM outcome JOIN proposition USING (customer_id, proposition_id)"
        )
    assert row is not None
    assert (row["customer_id"], row["amount"], row["outcome"]) == ("", 10_000, "converted")
    assert row["proposition_id"] != offer["id"]
    assert row["context"] == {}
    assert row["decided_at"].hour == row["occurred_at"].hour == 0


async def test_p12_a_correction_reaches_what_was_derived(suite: Suite) -> None:
    await ready(suite)
    request_id = await ask(suite, "correction")
    before = (await suite.get("/customers/c1/features"))["features"]["age"]

    await suite.call("PATCH", "/customers/c1", {"birth_date": "1978-05-01"})
    await suite.settle()
    await suite.call("POST", f"/rights-requests/{request_id}/fulfil", **OFFICER)

    assert (await suite.get("/customers/c1/features"))["features"]["age"] == before + 10
    assert (await suite.known("c1")).features["age"] == before + 10
    async with suite.services["segment"].database.connection() as connection:
        row = await connection.fetchrow(
            """SELECT c.features, c.features_as_of <= s.as_of AS is_scored
               FROM customer AS c JOIN customer_state AS s USING (customer_id)
               WHERE s.valid_to IS NULL AND customer_id = 'c1'"""
        )
    assert row is not None
    assert row["features"]["age"] == before + 10
    await consent(suite, "withdrawn")
