"""Alerts over the real application: raised, cleared, listed, acknowledged; their kinds edited."""

from datetime import timedelta
from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import NOW, Profile, ago, cny

pytestmark = pytest.mark.anyio
EDITOR = bearer("catalogue:write", actor="s-1")


async def complain(profile: Profile, customer_id: str = "c1", number: str = "k") -> None:
    body = {"category": "fees", "complaint_id": number}
    await profile.ok("POST", f"/customers/{customer_id}/complaints", json=body)


async def alerts(profile: Profile, query: str = "", customer_id: str = "c1") -> list[Any]:
    return (await profile.ok("GET", f"/customers/{customer_id}/alerts{query}"))["items"]


async def listed(profile: Profile, query: str = "", **claims: Any) -> list[tuple[str, str]]:
    headers = bearer("customers:read", **claims)
    found = await profile.ok("GET", f"/alerts?{query}", headers=headers)
    return [(each["customer_id"], each["alert"]) for each in found["items"]]


async def test_an_alert_is_raised_and_cleared_with_the_change_itself(profile: Profile) -> None:
    await profile.customer("c1", rm_id="r1")
    await complain(profile)

    [alert] = await alerts(profile)
    assert (alert["alert"], alert["severity"], alert["rm_id"]) == (
        "complaint_open",
        "critical",
        "r1",
    )
    assert alert["evidence"] == {"complaints_365d": 1, "has_open_complaint": True}
    await profile.ok("POST", "/customers/c1/complaints/k/close")
    assert await alerts(profile) == []
    [ended] = await alerts(profile, "?state=all")
    assert (ended["alert_id"], ended["cleared_at"] is not None) == (alert["alert_id"], True)
    [raised], [cleared] = await profile.feed("alert_raised"), await profile.feed("alert_cleared")
    assert raised["alert_id"] == cleared["alert_id"] == alert["alert_id"]
    timeline = (await profile.ok("GET", "/customers/c1/timeline?source=alert"))["items"]
    assert [(each["type"], each["facts"]["severity"]) for each in timeline] == [
        ("complaint_open", "critical")
    ]


async def test_p12_a_correction_reaches_the_features_and_the_alerts(profile: Profile) -> None:
    await profile.customer("c1")
    fund = {"category": "term_deposit", "opened_at": "2025-01-01", "account_id": "a-c1"}
    fund |= {"balance": cny(200_000), "balance_at": ago(60)}
    path = "/customers/c1/holdings/h-term"
    await profile.ok("PUT", path, json=fund)
    await profile.ok("PUT", path, json={**fund, "balance": cny(90_000), "balance_at": ago(1)})
    assert "aum_fell" in {each["alert"] for each in await alerts(profile)}

    await profile.ok("PUT", path, json={**fund, "balance": cny(199_000), "balance_at": ago(1)})

    assert (await profile.features("c1"))["aum_change_30d"] == -1_000
    assert "aum_fell" not in {each["alert"] for each in await alerts(profile)}


async def test_within_its_quiet_period_an_alert_goes_on_with_its_acknowledgement(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    loan = {"category": "mortgage", "opened_at": "2025-01-01", "account_id": "a-c1"}
    path = "/customers/c1/holdings/h-loan"
    owing = {**loan, "overdue_since": "2026-03-01"}
    await profile.ok("PUT", path, json=owing)
    [alert] = await alerts(profile)
    place = f"/customers/c1/alerts/{alert['alert_id']}/acknowledge"
    wrong = await profile.call("POST", place, json={"reason": "bored"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_acknowledgement")
    noted = await profile.ok("POST", place, json={"reason": "contacted"})
    again = await profile.ok("POST", place, json={"reason": "known"})
    assert again == noted
    assert (noted["acknowledgement"], noted["acknowledged_by"]) == ("contacted", "test-client")

    await profile.ok("PUT", path, json={**loan, "overdue_since": None})
    assert await alerts(profile) == []
    await profile.ok("PUT", path, json=owing)

    assert await alerts(profile) == [noted]
    unknown = await profile.call(
        "POST", "/customers/c1/alerts/none/acknowledge", json={"reason": "known"}
    )
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_alert")


async def test_the_list_is_the_callers_own_customers(profile: Profile) -> None:
    owners = {"c1": ("bank/east/b1", "r1"), "c2": ("bank/east", "r2"), "c3": ("bank/eastern", "r1")}
    for customer_id, (org, rm) in owners.items():
        await profile.customer(customer_id, org_path=org, rm_id=rm)
        await complain(profile, customer_id)
    every = [(each, "complaint_open") for each in ("c3", "c2", "c1")]

    assert await listed(profile) == every
    assert await listed(profile, "rm=r1") == [every[0], every[2]]
    assert await listed(profile, "org=bank/east") == every[1:]
    assert await listed(profile, rm="r2") == [every[1]]
    assert await listed(profile, "rm=r1", org="bank/east") == [every[2]]
    assert await listed(profile, "severity=info") == []
    assert await listed(profile, "alert=complaint_open&severity=critical&limit=2") == every[:2]
    first = await profile.ok("GET", "/alerts?limit=2")
    rest = await profile.ok("GET", f"/alerts?limit=2&after={first['next']}")
    assert [each["customer_id"] for each in rest["items"]] == ["c1"]
    bound = bearer("customers:read", customer="c1")
    for path in ("/alerts", "/customers/c1/alerts"):
        answer = await profile.call("GET", path, headers=bound)
        assert (answer.status_code, answer.json()["code"]) == (403, "alerts_not_for_customers")


async def test_a_bank_edits_a_kind_and_the_next_roll_holds_it_for_all(profile: Profile) -> None:
    await profile.customer("c1", birth_date="1990-01-01")
    kinds = (await profile.ok("GET", "/alert-kinds"))["items"]
    assert "near" in next(each["label"]["en"] for each in kinds if each["key"] == "upgrade_near")
    known = await profile.call("GET", "/alert-kinds/overdue")
    shown = known.json()
    body = {name: shown[name] for name in ("label", "severity", "todo", "shown", "quiet_days")}
    body["rule"] = "age >= 36"

    late = await profile.call("PUT", "/alert-kinds/overdue", json=body, headers=EDITOR)
    assert late.status_code == 428
    headers = {**EDITOR, "If-Match": known.headers["ETag"]}
    wrong = {**body, "rule": "agee >= 36"}
    answer = await profile.call("PUT", "/alert-kinds/overdue", json=wrong, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "alert_kind_unreadable")
    assert "'age'" in answer.json()["errors"][0]["detail"]
    edited = await profile.ok("PUT", "/alert-kinds/overdue", json=body, headers=headers)
    assert (edited["version"], edited["author"]) == (2, "s-1")
    stale = await profile.call("PUT", "/alert-kinds/overdue", json=body, headers=headers)
    assert stale.status_code == 412
    assert await alerts(profile) == []

    run = await profile.ok("POST", "/features/rolls", json={})
    await profile.work()

    [alert] = await alerts(profile)
    assert (alert["alert"], alert["evidence"]["age"]) == ("overdue", 36)
    assert await profile.feed("alert_raised") == []
    [told] = await profile.feed("alerts_run_completed")
    assert (told["run_id"], told["raised"], told["cleared"]) == (run["run_id"], 1, 0)
    listed_of_run = await profile.ok("GET", told["export"].removeprefix("/v1"))
    assert [each["alert_id"] for each in listed_of_run["items"]] == [alert["alert_id"]]
    off = {**body, "is_active": False}
    await profile.ok("PUT", "/alert-kinds/overdue", json=off, headers={**EDITOR, "If-Match": '"2"'})
    await profile.ok("PATCH", "/customers/c1", json={"occupation": "farmer"})
    assert await alerts(profile) == []


async def test_l9_a_partys_alerts_are_those_of_its_records_and_parted_both_are_as_before(
    profile: Profile,
) -> None:
    await profile.customer("c1", rm_id="r1")
    await profile.customer("c2", rm_id="r2")
    await complain(profile, "c2")
    [before] = await alerts(profile, customer_id="c2")
    headers = bearer("customers:merge")
    merge = {"merged": "c2", "reason": "same person"}
    await profile.ok("POST", "/customers/c1/merge", json=merge, headers=headers)

    assert await alerts(profile) == [before]
    assert await listed(profile, "rm=r1") == [("c2", "complaint_open")]
    assert await listed(profile, "rm=r2") == []
    await profile.ok("POST", "/customers/c1/unmerge", json={"merged": "c2"}, headers=headers)

    assert await alerts(profile) == []
    assert await alerts(profile, customer_id="c2") == [before]


async def test_alerts_stand_in_the_parts_and_go_with_time(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.holding("c1", "term_deposit", balance=cny(5), matures_at="2026-03-20")
    path = "/customers/c1/parts/profile?names=alerts"
    assert (await profile.ok("GET", path))["parts"]["alerts"]["items"] == []

    profile.clock.set_now(NOW + timedelta(days=12))
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()

    [shown] = (await profile.ok("GET", path))["parts"]["alerts"]["items"]
    assert (shown["alert"], shown["evidence"]["days_to_next_maturity"]) == ("maturity_near", 6)
