"""What a customer brings and costs, and why: the parts add up to the features."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.features.domain import Amount, Contribution, Side, part_of
from services.profile.timeline import repository as timeline
from services.profile.timeline.domain import Entry, Source, Touch
from services.profile.vocabulary import categories, contribution
from tests.kit import bearer
from tests.profile.conftest import NOW, SCOPES, Profile, ago, cny
from tests.profile.features.test_by_hand import tell
from tests.profile.merges.test_api import merge

pytestmark = pytest.mark.anyio

amounts = st.builds(
    Amount,
    side=st.sampled_from(Side),
    key=st.sampled_from(["demand_deposit", "trust_private", "overdue"]),
    quantity=st.decimals(0, 10**9, places=6),
    fen=st.integers(-(10**12), 10**12),
)


@given(found=st.lists(amounts, max_size=20))
def test_parts_add_up_exactly_to_what_remains(found: list[Amount]) -> None:
    made = Contribution(
        customer_id="c1",
        as_of=NOW,
        parts=tuple(part_of(each, contribution(), categories()) for each in found),
    )
    signs = {Side.REVENUE: 1, Side.COST: -1, Side.RISK: -1}

    assert made.net == Decimal(sum(signs[each.side] * each.fen for each in found)) / 100
    assert all(part.label.zh and part.label.en and part.unit for part in made.parts)


async def of(profile: Profile, customer_id: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The answer, and the amounts of its parts by key."""
    found = await profile.ok("GET", f"/customers/{customer_id}/contribution")
    return found, {part["key"]: part["amount"]["amount"] for part in found["parts"]}


async def owner_of_a_loan(profile: Profile) -> None:
    await profile.customer("c1", opened="2024-03-02")
    await profile.holding(
        "c1", "consumer_loan", opened="2024-03-02", overdue_since="2025-12-02",
        balance=cny(10000), balance_at=ago(500),
    )  # fmt: skip
    await profile.holding("c1", "insurance", opened="2026-01-02", amount=cny(1000))
    at = {"occurred_at": ago(10)}
    await tell(
        profile,
        {"type": "adjustment", "account_id": "a-c1", "balance_after": cny(36500), **at},
        {"type": "card_spend", "amount": cny(2000), **at},
        {"type": "fee", "amount": cny(12), **at},
        {"type": "fee", "amount": cny(2), "direction": "in", **at},
        {"type": "cash_deposit", "amount": cny(5), "channel": "branch", **at},
        {"type": "payment", "amount": cny(5), "channel": "app", **at},
        {"type": "login", "channel": "app", **at},
        {"type": "rm_visit", "data": {"minutes": 90}, **at},
        {"type": "rm_talk", **at},
        {"type": "call_in", "channel": "remote_bank", **at},
        {"type": "benefit_granted", "amount": cny(20), **at},
    )


async def test_a_net_loss_is_explained_part_by_part(profile: Profile) -> None:
    await owner_of_a_loan(profile)

    found, parts = await of(profile, "c1")

    assert parts == {
        "demand_deposit": "13.20",  # 11 day-ends of 36,500 in 365 days at 1.20 %
        "consumer_loan": "250.00",
        "overdue": "6000.00",  # 90 days overdue: 60 % a year instead of 1.8 %
        "card_spend": "7.00",
        "first_premium": "30.00",
        "fees": "10.00",
        "branch_transaction": "8.00",
        "online_transaction": "0.03",
        "login": "0.01",
        "visit": "30.00",
        "rm_minute": "250.00",  # 90 minutes told, 10 taken for granted
        "remote_call": "10.00",
        "account_month": "7.20",
        "benefit": "20.00",
    }
    assert (found["revenue"]["amount"], found["risk_cost"]["amount"]) == ("310.20", "6000.00")
    assert found["cost_to_serve"]["amount"] == "325.24"
    assert found["net"]["amount"] == "-6015.04"
    loan = next(part for part in found["parts"] if part["key"] == "consumer_loan")
    assert (loan["side"], loan["quantity"], loan["rate"]) == ("revenue", "10000.00", "2.50")
    assert loan["label"] == {"zh": "消费贷", "en": "Consumer loan"}


async def test_the_features_are_the_sums_of_the_parts(profile: Profile) -> None:
    await owner_of_a_loan(profile)
    await profile.customer("c2")
    await profile.ok("POST", "/features/rolls", json={})
    await profile.work()
    before = await profile.features("c1")
    sent = Touch(
        customer_id="c1",
        entry=Entry(source=Source.CONTACT, id="k1", type="contact_confirmed",
                    occurred_at=NOW - timedelta(days=1), channel="sms", facts={}),
    )  # fmt: skip
    async with profile.database.transaction() as connection:
        await timeline.put(connection, [sent])

    found, parts = await of(profile, "c1")
    after = await profile.features("c1")
    profile.headers = bearer(*SCOPES, "customers:merge")
    await merge(profile, "c2", "c1")
    together, of_both = await of(profile, "c1")

    assert parts["sms"] == "0.05"
    assert after["cost_to_serve_12m"] == pytest.approx(before["cost_to_serve_12m"] + 0.05)
    for name in ("revenue", "cost_to_serve", "risk_cost"):
        assert float(found[name]["amount"]) == after[f"{name}_12m"]
    assert float(found["net"]["amount"]) == after["net_contribution_12m"]
    assert (after["service_minutes_12m"], after["visits_90d"]) == (106, 1)
    assert after["rm_contacts_90d"] == 2
    assert (together["customer_id"], together["revenue"]) == ("c2", found["revenue"])
    assert of_both["account_month"] == "14.40"


async def test_a_prospect_contributes_nothing_and_nobody_is_not_found(profile: Profile) -> None:
    await profile.ok("PUT", "/customers/p1", json={"party_type": "person"})

    found, parts = await of(profile, "p1")
    nobody = await profile.call("GET", "/customers/nobody/contribution")

    assert (found["net"]["amount"], parts) == ("0.00", {})
    assert (await profile.features("p1"))["revenue_12m"] is None
    assert (nobody.status_code, nobody.json()["code"]) == (404, "not_found")


async def test_what_a_bank_states_of_a_company_and_what_its_industry_pays(profile: Profile) -> None:
    company = {"party_type": "company", "opened": "2025-01-01", "has_direct_link": True}
    await profile.customer("c1", industry="transport", **company)
    await profile.customer("c2", industry="astrology", **company)
    await tell(
        profile,
        {"type": "bid_won", "occurred_at": ago(300)},
        {"type": "credit_granted", "occurred_at": ago(600)},
        {"type": "credit_filed", "occurred_at": ago(3)},
    )

    one, other = await profile.features("c1"), await profile.features("c2")

    assert one["cost_pressure"] == pytest.approx(123.4 / 111.5 - 1)
    assert (one["has_direct_link"], other["cost_pressure"]) == (True, None)
    assert (one["bid_wins_365d"], one["rural_funnel_stage"]) == (1, "granted")
    assert (other["bid_wins_365d"], other["rural_funnel_stage"]) == (0, "none")


async def test_salary_that_leaves_is_not_made_up_for_by_the_next_one(profile: Profile) -> None:
    await profile.customer("c1")
    account = {"account_id": "a-c1"}
    paid = {"type": "salary", "amount": cny(1000), **account}
    await tell(
        profile,
        {"type": "adjustment", "balance_after": cny(500), "occurred_at": ago(200), **account},
        {**paid, "balance_after": cny(1500), "occurred_at": ago(60)},
        {"type": "payment", "amount": cny(1100), "balance_after": cny(400),
         "occurred_at": ago(40), **account},
        {**paid, "balance_after": cny(1400), "occurred_at": ago(32)},
        {"type": "payment", "balance_after": cny(900), "occurred_at": ago(10), **account},
        {**paid, "balance_after": cny(1900), "occurred_at": ago(2)},
    )  # fmt: skip

    await of(profile, "c1")

    # nothing of the first stayed, half of the second; the third came less than 30 days ago
    assert (await profile.features("c1"))["salary_retention_30d"] == pytest.approx(0.25)
