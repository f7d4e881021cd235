"""Outcomes of all records of a customer are told together (L9)."""

import pytest

from services.feedback.customers.service import MERGES
from tests.feedback.kit import NOW, Service, decision, entry, told
from tests.kit import bearer

pytestmark = pytest.mark.anyio


async def merge(service: Service, record: str, survivor: str | None) -> None:
    data = {"customer_id": record, "survivor": survivor, "merge_id": "m1"}
    async with service.database.transaction() as connection:
        await MERGES.apply(connection, [told("profile.customers_merged.v1", data)], None)


async def refuse(service: Service, number: int) -> None:
    body = {
        "outcome_id": f"o_{number}",
        "proposition_id": f"p_{number}",
        "outcome": "refused",
        "reason": "rate",
        "occurred_at": NOW.isoformat(),
    }
    assert (await service.report(body)).status_code == 200


async def outcomes(service: Service, customer_id: str) -> list[str]:
    answer = await service.get(f"/v1/customers/{customer_id}/outcomes")
    return sorted(each["outcome_id"] for each in answer["items"])


async def test_l9_a_merged_customer_has_the_outcomes_of_all_its_records(service: Service) -> None:
    for number in (1, 2):
        told_of = decision(
            entry(f"p_{number}"), customer_id=f"c_{number}", decision_id=f"d_{number}"
        )
        await service.decide(told_of)
        await refuse(service, number)

    await merge(service, "c_2", "c_1")
    assert await outcomes(service, "c_1") == await outcomes(service, "c_2") == ["o_1", "o_2"]

    await merge(service, "c_2", None)
    assert await outcomes(service, "c_1") == ["o_1"]
    assert await outcomes(service, "c_2") == ["o_2"]


async def test_l9_who_sees_the_survivor_sees_its_records(service: Service) -> None:
    await service.own("c_1", "hq/b1", "r1")
    await service.own("c_2", "hq/b2", "r2")
    await merge(service, "c_2", "c_1")

    async def status(**claims: str) -> int:
        headers = bearer("outcomes:read", **claims)
        return (await service.http.get("/v1/customers/c_2/outcomes", headers=headers)).status_code

    assert await status(rm="r1") == 200
    assert await status(rm="r2") == 404
    assert await status(customer="c_2") == 200
