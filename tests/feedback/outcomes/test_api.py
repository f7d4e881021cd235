from datetime import timedelta
from typing import Any

import anyio
import pytest

from services.feedback.outcomes import repository
from services.feedback.outcomes.service import proposed
from tests.feedback.kit import ALL, NOW, RECORDER, Service, decision, entry
from tests.kit import bearer

pytestmark = pytest.mark.anyio


def outcome(kind: str = "clicked", **other: Any) -> dict[str, Any]:
    return {"proposition_id": "p_1", "outcome": kind, "occurred_at": NOW.isoformat(), **other}


async def test_an_outcome_is_recorded_linked_and_announced_once(service: Service) -> None:
    await service.decide(decision())
    sale = outcome("converted", amount={"amount": "50000", "currency": "CNY"})

    first = await service.report(sale)
    again = await service.report(sale)

    assert first.status_code == again.status_code == 200
    assert first.headers["Bihuan-Event"]
    assert "Bihuan-Event" not in again.headers
    ids = first.json()["outcome_ids"]
    assert first.json() == {"outcome_ids": ids, "accepted": 1, "duplicates": 0, "early": 0}
    assert again.json() == {"outcome_ids": ids, "accepted": 0, "duplicates": 1, "early": 0}
    [event] = await service.events()
    assert event["subject"] == "c_1"
    assert event["data"]["amount"] == {"amount": "50000.00", "currency": "CNY"}
    assert event["data"]["behaviour"] == "positive"


async def test_an_outcome_that_comes_before_its_decision_is_linked_when_that_arrives(
    service: Service,
) -> None:
    answer = await service.report(outcome())
    assert answer.json()["early"] == 1
    assert await service.events() == []
    repeated = await service.report(outcome())
    assert repeated.json()["duplicates"] == 1

    await service.decide(decision())
    await service.decide(decision())

    assert [event["data"]["outcome"] for event in await service.events()] == ["clicked"]
    listed = await service.get("/v1/customers/c_1/outcomes")
    assert [item["outcome"] for item in listed["items"]] == ["clicked"]
    shared = await service.get("/v1/customers/c_1/parts/feedback")
    assert (shared["customer_id"], shared["parts"]) == ("c_1", {"outcomes": listed})


async def test_an_outcome_that_meets_its_decision_in_the_doorway_is_linked_by_the_worker(
    service: Service,
) -> None:
    async with service.database.transaction() as deciding:
        await repository.add_propositions(deciding, proposed(decision()))
        await RECORDER.link(deciding, ["p_1"])
        await service.report(outcome())  # committed before the decision is, seen by neither

    async with service.database.transaction() as connection:
        await RECORDER.link(connection)

    assert len(await service.events()) == 1


async def test_l3_the_same_outcome_reported_by_many_at_once_counts_once(service: Service) -> None:
    await service.decide(decision())
    async with anyio.create_task_group() as tasks:
        for _ in range(12):
            tasks.start_soon(service.report, outcome())

    assert len(await service.events()) == 1


async def test_a_batch_is_recorded_in_one_go(service: Service) -> None:
    await service.decide(decision(*(entry(f"p_{n}") for n in range(1000))))

    answer = await service.report(*(outcome("seen", proposition_id=f"p_{n}") for n in range(1000)))

    assert answer.json()["accepted"] == 1000
    assert len(await service.events()) == 1000


async def test_a_batch_with_one_fault_leaves_nothing_behind(service: Service) -> None:
    await service.decide(decision())
    answer = await service.report(outcome(), outcome("later"))

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"pointer": "/outcomes/1/until", "detail": "later needs it"}]
    assert await service.events() == []
    assert (await service.get("/v1/customers/c_1/outcomes"))["items"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"outcome": "clicked"}, "/proposition_id"),
        (outcome(colour="red"), "/colour"),
        (outcome("bought"), "/outcome"),
        (outcome(occurred_at="1899-01-01T00:00:00Z"), "/occurred_at"),
        (outcome(occurred_at=(NOW + timedelta(minutes=6)).isoformat()), "/occurred_at"),
        (outcome(occurred_at="2026-03-02T02:15:00"), "/occurred_at"),
        (outcome(occurred_at="0001-01-01T00:00:00+14:00"), "/occurred_at"),
        (outcome("later", until="9999-12-31T23:59:59-14:00"), "/until"),
        (outcome(proposition_id="p 1"), "/proposition_id"),
        (outcome("converted", amount={"amount": "1e30", "currency": "CNY"}), "/amount/amount"),
        (outcome("converted", amount={"amount": "-1", "currency": "CNY"}), "/amount/amount"),
        (outcome("converted", amount={"amount": "1.005", "currency": "CNY"}), "/amount/amount"),
        (outcome("converted", amount={"amount": "1", "currency": "USD"}), "/amount/currency"),
        ({"outcomes": [outcome(reason="x")]}, "/outcomes/0/reason"),
        ({"outcomes": [outcome(), {"outcome": "seen"}]}, "/outcomes/1/proposition_id"),
        ({"outcomes": []}, "/outcomes"),
    ],
)
async def test_a_report_that_makes_no_sense_is_refused_at_its_field(
    service: Service, body: dict[str, Any], pointer: str
) -> None:
    answer = await service.http.post("/v1/outcomes", json=body, headers=ALL)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("value", ["\x00", [], "x" * 201])
async def test_context_takes_plain_short_values(service: Service, value: object) -> None:
    answer = await service.report(outcome(context={"reference": value}))

    assert answer.status_code == 422


async def test_an_id_used_for_something_else_is_a_conflict(service: Service) -> None:
    await service.decide(decision())
    await service.report(outcome(outcome_id="o_1"))

    answer = await service.report(outcome("refused", outcome_id="o_1"))

    assert answer.status_code == 409
    assert answer.json()["code"] == "outcome_differs"


async def test_a_customer_bound_token_reports_on_its_own_propositions_only(
    service: Service,
) -> None:
    await service.decide(decision())
    own, other = (bearer("outcomes:write", customer=name) for name in ("c_1", "c_2"))

    assert (await service.report(outcome(), **other)).status_code == 404
    assert (await service.report(outcome(), **own)).status_code == 200


async def test_a_customer_bound_token_cannot_slip_in_before_the_decision(service: Service) -> None:
    await service.report(outcome(), **bearer("outcomes:write", customer="c_2"))

    await service.decide(decision())

    assert await service.events() == []
    async with service.database.connection() as connection:
        problem = await connection.fetchval("SELECT problem FROM early_outcome")
    assert problem == "unknown_proposition"


async def test_staff_see_the_customers_of_their_part_of_the_bank(service: Service) -> None:
    await service.decide(decision())
    await service.own("c_1", "bank/east/branch_12", "rm_7")
    await service.report(outcome())

    async def status(**claims: str) -> int:
        headers = bearer("outcomes:read", **claims)
        return (await service.http.get("/v1/customers/c_1/outcomes", headers=headers)).status_code

    assert await status(org="bank/east") == 200
    assert await status(org="bank/east/branch_12", rm="rm_7") == 200
    assert await status(org="bank/east/branch_1") == 404
    assert await status(rm="rm_8") == 404
    assert await status(customer="c_2") == 404


async def test_a10_the_list_pages_newest_first_and_stays_stable_under_inserts(
    service: Service,
) -> None:
    await service.decide(decision())
    times = [NOW - timedelta(minutes=n) for n in range(5)]
    await service.report(*(outcome("seen", occurred_at=at.isoformat()) for at in times))
    path = "/v1/customers/c_1/outcomes"

    first = await service.get(path, limit=2)
    await service.report(outcome("clicked"))
    second = await service.get(path, limit=2, after=first["next"])
    third = await service.get(path, limit=2, after=second["next"])

    seen = [item["occurred_at"] for page in (first, second, third) for item in page["items"]]
    assert seen == [at.isoformat().replace("+00:00", "Z") for at in times]
    assert third["next"] is None


@pytest.mark.parametrize("after", ["WyJ4Il0", "WyJ4IiwieSJd", "!"])
async def test_a_cursor_of_another_list_is_refused(service: Service, after: str) -> None:
    answer = await service.http.get(
        "/v1/customers/c_1/outcomes", params={"after": after}, headers=ALL
    )

    assert answer.status_code == 400


async def test_scopes_are_asked_for(service: Service) -> None:
    reads, writes = bearer("outcomes:read"), bearer("outcomes:write")

    reported = await service.report(outcome(), **reads)
    listed = await service.http.get("/v1/customers/c_1/outcomes", headers=writes)

    assert (reported.status_code, listed.status_code) == (403, 403)
