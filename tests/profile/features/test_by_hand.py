"""Each feature on a small case worked out by hand."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.profile.conftest import Profile, ago, cny

pytestmark = pytest.mark.anyio


async def tell(profile: Profile, *events: dict[str, Any], customer_id: str = "c1") -> None:
    body = [
        {"event_id": f"e{number}", "customer_id": customer_id, **event}
        for number, event in enumerate(events)
    ]
    answer = await profile.ok("POST", "/events", json={"events": body})
    assert answer["quarantined"] == []


async def test_a_prospect_has_no_counts_and_becomes_a_customer_with_its_first_account(
    profile: Profile,
) -> None:
    await profile.ok("PUT", "/customers/p1", json={"party_type": "person"})
    before = await profile.features("p1")
    await profile.ok("PUT", "/customers/p1/accounts/a1", json={"opened_at": "2026-03-02"})
    after = await profile.features("p1")

    names = ("tenure_days", "track", "logins_30d", "aum", "product_count", "days_since_active")
    averages = ("aum_avg_month", "aum_avg_quarter", "deposit_avg_year", "aum_peak_24m")
    assert [before[name] for name in names + averages] == [None] * 10
    assert [after[name] for name in names] == [0, "new", 0, 0.0, 0, 0]
    assert [after[name] for name in averages] == [0.0] * 4
    assert (before["has_fund"], before["marketing_consent"]) == (False, False)


async def test_age_and_minority_follow_the_banks_day(profile: Profile) -> None:
    await profile.customer("c1", birth_date="2008-03-02")
    await profile.customer("c2", birth_date="2008-03-03")

    grown, minor = await profile.features("c1"), await profile.features("c2")

    assert (grown["age"], grown["is_minor"]) == (18, False)
    assert (minor["age"], minor["is_minor"]) == (17, True)


async def test_averages_follow_the_step_function_of_day_end_balances(profile: Profile) -> None:
    await profile.customer("c1", opened="2025-01-01")
    account = {"type": "adjustment", "account_id": "a-c1"}
    await tell(
        profile,
        {**account, "occurred_at": ago(100), "balance_after": cny(3000)},
        {**account, "occurred_at": ago(14), "balance_after": cny(6000)},
    )

    found = await profile.features("c1")

    assert found["aum"] == 6000
    assert found["aum_avg_month"] == 4500  # 15 days of 3,000 and 15 of 6,000
    assert found["aum_avg_quarter"] == 3500  # 75 and 15 of 90
    assert found["aum_avg_prev_quarter"] == 366.67  # 11 days of 3,000 in 90
    assert found["aum_trend"] == pytest.approx(3500 / (33000 / 90) - 1)
    assert found["aum_change_30d"] == 3000
    assert found["aum_peak_24m"] == 4500
    assert found["deposit_avg_year"] == pytest.approx((86 * 3000 + 15 * 6000) / 365, abs=0.005)
    assert (found["deposit_share"], found["demand_share"], found["top_category_share"]) == (1, 1, 1)


async def test_a_young_customers_average_counts_from_the_opening(profile: Profile) -> None:
    await profile.customer("c1", opened="2026-02-21")  # ten day-ends with today's
    point = {"type": "adjustment", "account_id": "a-c1", "balance_after": cny(1000)}
    await tell(profile, {**point, "occurred_at": ago(4)})

    found = await profile.features("c1")

    assert (found["aum_avg_month"], found["aum_avg_quarter"]) == (500, 500)
    assert found["aum_avg_prev_quarter"] is None
    assert found["aum_trend"] is None


async def test_the_last_point_of_a_day_is_its_balance_and_the_sequence_breaks_ties(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    point = {"type": "adjustment", "account_id": "a-c1", "occurred_at": ago(1)}
    await tell(
        profile,
        {**point, "sequence": 2, "balance_after": cny(20)},
        {**point, "sequence": 10, "balance_after": cny(30)},
        {**point, "sequence": 1, "balance_after": cny(10)},
    )

    assert (await profile.features("c1"))["aum"] == 30


async def test_flows_cross_the_banks_border(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.ok("PUT", "/customers/c1/accounts/second", json={"opened_at": "2025-01-01"})
    here = {"counterparty_kind": "own", "counterparty": "second"}
    elsewhere = {"counterparty_kind": "own", "counterparty": "other-bank"}
    await tell(
        profile,
        {"type": "transfer_in", "occurred_at": ago(5), "amount": cny(100)},
        {"type": "transfer_in", "occurred_at": ago(40), "amount": cny(70)},
        {"type": "transfer_in", "occurred_at": ago(5), "amount": cny(9), **here},
        {"type": "transfer_out", "occurred_at": ago(5), "amount": cny(30)},
        {"type": "transfer_out", "occurred_at": ago(5), "amount": cny(20), **elsewhere},
        {"type": "interest", "occurred_at": ago(5), "amount": cny(5)},
        {"type": "salary", "occurred_at": ago(20), "amount": cny(9000)},
        {"type": "salary", "occurred_at": ago(50), "amount": cny(9000)},
    )  # fmt: skip

    found = await profile.features("c1")

    assert (found["inflow_30d"], found["inflow_90d"]) == (9100, 18170)
    assert (found["outflow_30d"], found["external_self_outflow_90d"]) == (50, 20)
    assert (found["largest_inflow_90d"], found["salary_month"]) == (9000, 6000)


async def test_activity_counts_days_on_which_the_customer_acted(profile: Profile) -> None:
    await profile.customer("c1")
    await tell(
        profile,
        {"type": "login", "occurred_at": ago(2), "channel": "app"},
        {"type": "payment", "occurred_at": ago(2), "channel": "app", "amount": cny(10)},
        {"type": "branch_visit", "occurred_at": ago(45), "channel": "branch"},
        {"type": "login", "occurred_at": ago(200), "channel": "app"},
        {"type": "salary", "occurred_at": ago(1), "amount": cny(1)},
    )

    found = await profile.features("c1")

    assert (found["days_since_active"], found["days_since_login"]) == (2, 2)
    assert [found[f"active_days_{window}"] for window in ("30d", "90d", "prev_90d", "365d")] == [
        1, 2, 0, 3,
    ]  # fmt: skip
    assert (found["top_channel"], found["digital_share_365d"]) == ("app", 0.75)
    assert (found["transactions_90d"], found["transaction_amount_90d"]) == (1, 10)
    assert (found["logins_30d"], found["branch_visits_365d"]) == (1, 1)


async def test_what_matured_and_was_not_renewed(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.holding(
        "c1", "term_deposit", opened="2025-01-20", matures_at="2026-01-20",
        amount=cny(1000), closed_at="2026-01-20",
    )  # fmt: skip
    await profile.holding("c1", "fund", opened="2026-02-01", amount=cny(400))
    await profile.holding(
        "c1", "wealth_management", opened="2026-01-01", matures_at="2026-03-12",
        balance=cny(250), balance_at=ago(3),
    )  # fmt: skip

    found = await profile.features("c1")

    assert found["matured_unrenewed"] == 600
    assert (found["days_to_next_maturity"], found["maturing_amount_30d"]) == (10, 250)
    assert (found["product_count"], found["asset_category_count"]) == (2, 2)
    assert (found["has_term_deposit"], found["has_fund"]) == (False, True)
    assert found["first_purchase_days"] == 19


async def test_credit_and_cards(profile: Profile) -> None:
    await profile.customer("c1")
    await profile.holding(
        "c1", "credit_card", opened="2026-01-01", credit_line=cny(5000),
        balance=cny(1000), balance_at=ago(1),
    )  # fmt: skip
    await profile.holding("c1", "mortgage", balance=cny(70000), balance_at=ago(1))
    await tell(
        profile,
        {"type": "card_spend", "occurred_at": ago(10), "amount": cny(60), "purpose": "travel"},
        {"type": "card_spend", "occurred_at": ago(40), "amount": cny(40), "purpose": "daily"},
        {"type": "card_spend", "occurred_at": ago(100), "amount": cny(200), "purpose": "daily"},
    )

    found = await profile.features("c1")

    assert (found["mortgage_balance"], found["loan_balance"]) == (70000, 70000)
    assert (found["credit_line"], found["credit_used"]) == (5000, 1000)
    assert (found["line_utilisation"], found["aum"]) == (0.2, 0)
    assert (found["card_spend_30d"], found["card_spend_90d"]) == (60, 100)
    assert (found["card_spend_change"], found["card_motive"]) == (-0.5, "travel")
    assert (found["card_activated"], found["days_since_card_issued"]) == (True, 60)


async def test_a_companys_settlement_payroll_and_partners(profile: Profile) -> None:
    await profile.customer("c1", party_type="company", declared_turnover=cny(1000))
    settled = {"type": "settlement_in", "counterparty": "buyer"}
    await tell(
        profile,
        {**settled, "occurred_at": ago(10), "amount": cny(200)},
        {**settled, "occurred_at": ago(120), "amount": cny(400)},
        {"type": "settlement_out", "occurred_at": ago(10), "amount": cny(100), "counterparty": "s"},
        {"type": "payroll_payment", "occurred_at": ago(5), "data": {"headcount": 30}},
        {"type": "payroll_payment", "occurred_at": ago(100), "data": {"headcount": 40}},
        {"type": "fx_exchange", "occurred_at": ago(50), "amount": cny(77)},
    )

    found = await profile.features("c1")

    assert (found["settlement_amount_90d"], found["settlement_change"]) == (300, -0.25)
    assert (found["settlement_share"], found["fx_volume_365d"]) == (0.6, 77)
    assert (found["payroll_headcount"], found["payroll_headcount_change"]) == (30, -0.25)
    assert (found["downstream_count"], found["upstream_count"]) == (1, 0)


async def test_the_daily_roll_moves_windows_and_writes_only_changes(profile: Profile) -> None:
    await profile.customer("c1", opened="2025-12-02")
    await profile.ok("PUT", "/customers/p1", json={"party_type": "person"})
    await tell(profile, {"type": "login", "occurred_at": ago(29), "channel": "app"})
    assert (await profile.features("c1"))["logins_30d"] == 1
    assert (await profile.features("c1"))["track"] == "new"

    profile.clock.set_now(datetime(2026, 3, 2, 16, 0, 1, tzinfo=UTC))  # midnight in Shanghai
    run = await profile.ok("POST", "/features/rolls", json={})
    await profile.work()

    found = await profile.features("c1")
    assert (found["logins_30d"], found["track"], found["tenure_days"]) == (0, "existing", 91)
    done = await profile.ok("GET", f"/features/rolls/{run['run_id']}")
    assert (done["state"], done["total"], done["changed"]) == ("completed", 2, 1)
