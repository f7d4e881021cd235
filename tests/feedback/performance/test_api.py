from datetime import timedelta
from typing import Any

import pytest

from tests.feedback.kit import NOW, Service, decision, entry
from tests.kit import bearer

pytestmark = pytest.mark.anyio
OTHER = {"action": "care-none", "strategy": "care", "treatment": "care-none/sms/out"}


async def _prepare(service: Service) -> None:
    await service.decide(
        decision(entry("p_1"), entry("p_2"), entry("p_3", **OTHER), customer_id="c_1"),
        decision(entry("p_4"), customer_id="c_2", channel="sms", decision_id="d_2"),
        decision(entry("p_5"), decision_id="d_3", at=(NOW - timedelta(days=10)).isoformat()),
    )
    await service.report(
        {"proposition_id": "p_1", "outcome": "seen"},
        {"proposition_id": "p_1", "outcome": "clicked", "outcome_id": "o_1"},
        {"proposition_id": "p_1", "outcome": "clicked", "outcome_id": "o_2"},
        {
            "proposition_id": "p_1",
            "outcome": "converted",
            "amount": {"amount": "1000.50", "currency": "CNY"},
        },
        {"proposition_id": "p_2", "outcome": "refused", "reason": "rate"},
        {"proposition_id": "p_3", "outcome": "delivered"},
        {
            "proposition_id": "p_4",
            "outcome": "converted",
            "amount": {"amount": "20", "currency": "CNY"},
        },
    )


def _by_key(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {item["key"]: item for item in answer["items"]}


async def test_performance_counts_propositions_by_what_came_of_them(service: Service) -> None:
    await _prepare(service)

    answer = await service.get("/v1/performance", by="strategy", **{"from": NOW.isoformat()})

    groups = _by_key(answer)
    assert list(groups) == ["care", "idle_cash"]
    cash = groups["idle_cash"]
    assert (cash["propositions"], cash["seen"], cash["clicked"], cash["converted"]) == (3, 1, 1, 2)
    assert cash["rates"]["converted"] == pytest.approx(2 / 3)
    assert cash["labels"] == {"converted": 2, "refused": 1}
    assert cash["converted_amount"] == {"amount": "1020.50", "currency": "CNY"}
    assert groups["care"]["open"] == 1


@pytest.mark.parametrize("by", ["action", "strategy", "channel"])
async def test_l11_every_view_adds_up_to_the_same_outcomes(service: Service, by: str) -> None:
    await _prepare(service)

    answer = await service.get("/v1/performance", by=by)

    total = answer["total"]
    assert (total["propositions"], total["converted"], total["refused"]) == (5, 2, 1)
    assert total["converted_amount"]["amount"] == "1020.50"
    for name in ("propositions", "delivered", "seen", "clicked", "converted", "refused", "open"):
        assert total[name] == sum(item[name] for item in answer["items"])
    assert sum(total["labels"].values()) + total["open"] == total["propositions"]


async def test_a_period_holds_what_was_decided_in_it(service: Service) -> None:
    await _prepare(service)

    before = await service.get("/v1/performance", to=NOW.isoformat())
    after = await service.get("/v1/performance", **{"from": NOW.isoformat()})

    assert before["total"]["propositions"] == 1
    assert after["total"]["propositions"] == 4
    assert before["to"] == NOW.isoformat().replace("+00:00", "Z")


async def test_staff_count_their_own_customers(service: Service) -> None:
    await _prepare(service)
    await service.own("c_2", "bank/west", "rm_1")
    headers = bearer("performance:read", org="bank/west")

    answer = await service.http.get("/v1/performance", headers=headers)

    assert answer.json()["total"]["propositions"] == 1


async def test_an_empty_bank_has_performed_nothing(service: Service) -> None:
    answer = await service.get("/v1/performance")

    assert answer["items"] == []
    assert answer["total"]["rates"]["converted"] is None
