"""Why 63? Each point and each level, over the real application and database."""

from typing import Any

import pytest

from services.segment.scoring.domain.runs import RunKind
from tests.kit import bearer
from tests.segment.bank import OPERATOR, SCOPES, Bank, changed, crowd, features

pytestmark = pytest.mark.anyio

READER = bearer(*SCOPES, "features:read", actor="wang")
ACCOUNTS = {
    "revenue_12m": 6_000.0,
    "cost_to_serve_12m": 812.5,
    "risk_cost_12m": 500.0,
    "net_contribution_12m": 4_687.5,
    "service_minutes_12m": 700,
}


async def explained(bank: Bank, customer_id: str, headers: Any = READER) -> dict[str, Any]:
    answer = await bank.get(f"/v1/customers/{customer_id}/explanations", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def by_key(entries: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["key"]: entry for entry in entries}


async def test_a_score_is_explained_part_by_part(bank: Bank) -> None:
    given = {"nps_last": 3, "complaints_365d": 1, "rm_contacts_90d": 1}
    await bank.hear(changed("c1", features(**ACCOUNTS, **given)))
    await bank.score(RunKind.NIGHTLY)
    found = await explained(bank, "c1")
    scores = by_key(found["scores"])
    levels = await bank.levels("c1")

    assert found["is_current"]
    assert {key: score["value"] for key, score in scores.items()} == {
        key: levels[key] for key in scores
    }
    assert (scores["satisfaction"]["value"], scores["satisfaction"]["points"]) == (39, 38.571429)
    nps, csat, complaints = scores["satisfaction"]["parts"]
    assert (nps["reads"], nps["measure"], nps["points"]) == ({"nps_last": 3}, 3, 17.142857)
    assert (csat["is_missing"], csat["is_left_out"], csat["most"]) == (True, True, 0)
    assert (complaints["most"], complaints["points"]) == (42.857143, 21.428571)
    in_touch = by_key(scores["deal_ease"]["parts"])["in_touch"]
    assert (in_touch["rule"], in_touch["measure"]) == ("rm_contacts_90d >= 1", 1)
    for score in scores.values():
        assert sum(part["points"] for part in score["parts"]) == pytest.approx(score["points"])


async def test_a_level_is_explained_by_the_rule_that_won_and_those_before_it(bank: Bank) -> None:
    await bank.hear(changed("c1", features(**ACCOUNTS)))
    await bank.score(RunKind.NIGHTLY)
    await bank.hear(changed("c1", features(aum_avg_month=700_000.0, **ACCOUNTS), version=2))
    scales = by_key((await explained(bank, "c1"))["scales"])

    tier = scales["tier"]
    assert (tier["level"], tier["held"]["level"]) == ("wealth", "mass_affluent")
    assert tier["won"] == {
        "level": "wealth",
        "rule": "aum_avg_month >= 500000",
        "holds": True,
        "reads": {"aum_avg_month": 700_000},
    }
    assert [(rule["level"], rule["holds"]) for rule in tier["before"]] == [("private", False)]
    assert tier["where"]["reads"] == {"tenure_days": 800}
    priority = scales["deal_priority"]
    assert priority["level"] == priority["won"]["level"] == "leave"
    assert [rule["holds"] for rule in priority["before"]] == [False, None, False]
    assert priority["before"][0]["reads"] == {"potential_value": None, "deal_ease": 0}
    assert (scales["corporate_tier"]["level"], scales["corporate_tier"]["before"]) == (None, [])


async def test_whether_a_customer_pays_and_how_much_service_is_left(bank: Bank) -> None:
    rows = [
        features(**ACCOUNTS),
        features(aum_avg_month=10.0, net_contribution_12m=-80.0, service_minutes_12m=40),
        {"party_type": "person"},
    ]
    await bank.hear(*crowd(3, rows))
    await bank.score(RunKind.NIGHTLY)
    rich, poor, prospect = [await explained(bank, f"c000{place}") for place in range(3)]

    assert rich["contribution"] == {
        "value_type": "asset",
        "revenue_12m": {"amount": "6000.00", "currency": "CNY"},
        "cost_to_serve_12m": {"amount": "812.50", "currency": "CNY"},
        "risk_cost_12m": {"amount": "500.00", "currency": "CNY"},
        "net_contribution_12m": {"amount": "4687.50", "currency": "CNY"},
        "details": "/v1/customers/c0000/contribution",
    }
    service = rich["service"]
    assert (service["key"], service["minutes_floor"]) == ("mass_affluent", 20)
    assert (service["minutes_budget"], service["minutes_left"]) == (660, -40)  # 0.3 x 5,500 / 2.5
    assert service["is_over"]
    assert poor["contribution"]["value_type"] == "liability"
    assert (poor["service"]["minutes_budget"], poor["service"]["is_over"]) == (0, True)
    assert (prospect["service"], prospect["contribution"]["revenue_12m"]) == (None, None)
    [percentile] = rich["percentiles"]
    assert (percentile["value"], percentile["customers"], percentile["among"]) == (
        0.75,
        2,
        "person",
    )
    assert rich["cuts_run_id"] is not None


async def test_an_explanation_says_when_what_is_stored_is_older_than_the_rules(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    await bank.settle()
    read = await bank.get("/v1/scores/loyalty")
    body = {k: v for k, v in read.json().items() if k not in {"key", "version"}}
    body["retail"][0]["full"] = 100
    headers = {**OPERATOR, "If-Match": read.headers["ETag"]}
    await bank.http.put("/v1/scores/loyalty", json=body, headers=headers)
    early = await explained(bank, "c1")
    await bank.settle()

    assert (early["is_current"], (await explained(bank, "c1"))["is_current"]) == (False, True)


async def test_only_who_may_see_a_customer_and_their_features_is_told(bank: Bank) -> None:
    await bank.hear(changed("c1", features()), changed("c2", features()))
    path = "/v1/customers/c1/explanations"
    scopes = ("segments:read", "features:read")
    asked = [
        bearer("segments:read"),
        bearer(*scopes, customer="c2"),
        bearer(*scopes, rm="rm_9"),
        bearer(*scopes, customer="c1"),
    ]

    answers = [(await bank.get(path, headers=headers)).status_code for headers in asked]
    assert answers == [403, 404, 404, 200]
    assert (await bank.get("/v1/customers/nobody/explanations", headers=READER)).status_code == 404
