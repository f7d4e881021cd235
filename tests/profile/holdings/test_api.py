"""Holdings and their balances, now and as of a day."""

from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile, ago, cny

pytestmark = pytest.mark.anyio


async def with_history(profile: Profile) -> str:
    """A fund of 2025-06-01 that stood at 100 on 2026-01-31, then at 300, then at 200."""
    await profile.customer("c1")
    for amount, at in (
        ("100", "2026-01-31T15:59:59Z"),  # 23:59:59 in the bank
        ("250", "2026-02-10T01:00:00Z"),
        ("300", "2026-02-10T08:00:00Z"),
        ("200", "2026-02-20T08:00:00Z"),
    ):
        holding_id = await profile.holding(
            "c1", "fund", opened="2025-06-01", balance=cny(amount), balance_at=at
        )
    return holding_id


async def fund(profile: Profile, **asked: str) -> list[Any]:
    found = (await profile.ok("GET", "/customers/c1/holdings", params=asked))["items"]
    return [each["balance"] and each["balance"]["amount"] for each in found
            if each["category"] == "fund"]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "stood_at"),
    [
        ("2025-05-31", []),
        ("2025-06-01", [None]),
        ("2026-01-31", ["100.00"]),
        ("2026-02-09", ["100.00"]),
        ("2026-02-10", ["300.00"]),
        ("2026-02-20", ["200.00"]),
        ("2199-12-31", ["200.00"]),
    ],
)
async def test_as_of_a_day_a_holding_stood_at_its_last_word(
    profile: Profile, day: str, stood_at: list[Any]
) -> None:
    await with_history(profile)

    assert await fund(profile, as_of=day) == stood_at
    assert await fund(profile) == ["200.00"]


async def test_balances_are_listed_by_day_and_page_by_page(profile: Profile) -> None:
    path = f"/customers/c1/holdings/{await with_history(profile)}/balances"

    first = await profile.ok("GET", path, params={"limit": 2})
    rest = await profile.ok("GET", path, params={"limit": 2, "after": first["next"]})
    part = await profile.ok("GET", path, params={"since": "2026-02-01", "until": "2026-02-19"})

    told = [(each["day"], each["balance"]["amount"]) for each in first["items"] + rest["items"]]
    assert told == [
        ("2026-01-31", "100.00"), ("2026-02-10", "300.00"), ("2026-02-20", "200.00"),
    ]  # fmt: skip
    assert rest["next"] is None
    assert [each["day"] for each in part["items"]] == ["2026-02-10"]


async def test_a_holding_of_somebody_else_is_not_there(profile: Profile) -> None:
    holding_id = await with_history(profile)
    await profile.customer("c2")

    async def status(customer_id: str, **claims: str) -> int:
        headers = bearer("customers:read", **claims)
        path = f"/customers/{customer_id}/holdings/{holding_id}/balances"
        return (await profile.call("GET", path, headers=headers)).status_code

    assert await status("c1") == 200
    assert await status("c2") == 404
    assert await status("c1", customer="c2") == 404


async def test_l9_a_merged_customers_balances_are_those_of_its_records(profile: Profile) -> None:
    holding_id = await with_history(profile)
    await profile.customer("c2")
    await profile.holding("c2", "demand_deposit", balance=cny("5"), balance_at=ago(1))
    body = {"merged": "c1", "reason": "x"}
    await profile.ok("POST", "/customers/c2/merge", json=body, headers=bearer("customers:merge"))

    found = await profile.ok("GET", f"/customers/c2/holdings/{holding_id}/balances")

    assert len(found["items"]) == 3
