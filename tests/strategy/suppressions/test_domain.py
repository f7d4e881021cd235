from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from services.strategy.contact_policies.domain import contact_policy_of
from services.strategy.entries.domain import Fields
from services.strategy.suppressions.domain import Answer, CoolOff, Scope, suppressions_of
from shared.paths import CATALOGUE

SHANGHAI = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)  # 23:30 in Shanghai
RULES = contact_policy_of(
    "default", Fields(yaml.safe_load((CATALOGUE / "contact_policy.yaml").read_text()))
).cool_offs


def answer(outcome="refused", id_="o1", at=AT, **overrides):
    usual: dict[str, Any] = {
        "reason": None,
        "channel": "app",
        "action": "s-f1",
        "treatment": "s-f1/app/in",
        "product": "f1",
        "category": "fund",
    }
    return Answer(outcome_id=id_, outcome=outcome, occurred_at=at, **{**usual, **overrides})


def silenced(new, *history, zone=SHANGHAI):
    found = suppressions_of(new, [new, *history], RULES, zone=zone)
    return {(s.scope.value, s.key): s.until for s in found}


def midnight(local, zone=SHANGHAI):
    return datetime.fromisoformat(local).replace(tzinfo=zone)


def test_a_refusal_silences_the_product_for_thirty_days_of_the_customers_calendar() -> None:
    assert silenced(answer()) == {("product", "f1"): midnight("2026-04-04T00:00")}
    in_new_york = silenced(answer(), zone=ZoneInfo("America/New_York"))
    assert in_new_york == {
        ("product", "f1"): midnight("2026-04-04T00:00", ZoneInfo("America/New_York"))
    }


def test_the_second_refusal_in_ninety_days_silences_the_category() -> None:
    other = {"product": "f2", "action": "s-f2", "treatment": "s-f2/app/in"}

    def second(days):
        before = answer(id_="o0", at=AT - timedelta(days=days), **other)
        return ("category", "fund") in silenced(answer(), before)

    assert second(90)
    assert not second(91)
    assert ("category", "fund") not in silenced(answer(), answer())  # the same one told twice


def test_later_holds_until_the_date_the_customer_gave() -> None:
    until = AT + timedelta(days=11)

    assert silenced(answer("later", until=until)) == {("product", "f1"): until}
    assert silenced(answer("later")) == {}


def test_not_relevant_and_converted_rest_as_the_policy_says() -> None:
    assert silenced(answer("not_relevant")) == {("product", "f1"): midnight("2026-05-04T00:00")}
    assert silenced(answer("converted")) == {("category", "fund"): midnight("2026-04-04T00:00")}
    assert silenced(answer("clicked")) == {}


def test_do_not_call_silences_the_channel_until_the_customer_lifts_it() -> None:
    found = silenced(answer(reason="channel"))

    assert found["channel", "app"] > AT + timedelta(days=10_000)


def test_a_refusal_of_care_silences_the_action() -> None:
    care = answer(product=None, category=None, action="s-none", treatment="s-none/rm/out")

    assert set(silenced(care)) == {("action", "s-none")}


def test_a_rolling_rule_counts_hours_and_not_days() -> None:
    rule = CoolOff(outcome="refused", scope=Scope.PRODUCT, days=2, is_calendar=False)

    [found] = suppressions_of(answer(), [], [rule], zone=SHANGHAI)

    assert found.until == AT + timedelta(hours=48)
