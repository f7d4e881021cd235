"""What the client knows, and what follows from it."""

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

from tests.faults.comparison import differences, lost_doubled_or_strange
from tests.faults.expected import (
    PRIOR_WEIGHT,
    evidence_of,
    features_of,
    performance_of,
    silences_of,
)
from tests.faults.ledger import Contact, Event, Ledger, Outcome, Proposition, Wish

NOON = datetime.fromisoformat("2026-03-04T12:00:00+08:00")


def event(kind: str, days_ago: int, amount: str | None = None) -> Event:
    return Event(
        event_id=f"{kind}-{days_ago}",
        customer_id="c",
        type=kind,
        occurred_at=NOON - timedelta(days=days_ago),
        amount=None if amount is None else Decimal(amount),
    )


def outcome(
    word: str, product: str | None = "fund_a", amount: str | None = None, number: int = 1
) -> Outcome:
    category = None if product is None else product.split("_", maxsplit=1)[0]
    proposition = Proposition(
        proposition_id=f"{product}-{number}",
        customer_id="c",
        treatment=f"s-{product}/app/in",
        action=f"s-{product}",
        product=product,
        category=category,
    )
    money = None if amount is None else Decimal(amount)
    return Outcome(outcome_id=f"o{number}", proposition=proposition, outcome=word, amount=money)


def contact(contact_id: str, purpose: str) -> Contact:
    return Contact(
        key=f"k-{contact_id}",
        customer_id="c",
        channel="sms",
        purpose=purpose,
        wish=Wish.CONFIRM,
        contact_ids={contact_id},
    )


def test_what_was_acknowledged_must_be_found_once_and_what_is_unknown_at_most_once() -> None:
    wrong = lost_doubled_or_strange(
        "event", acknowledged=["a", "b"], unknown=["x", "y"], found=["b", "x", "x", "z"]
    )
    assert wrong == ["event a is lost", "event x is there 2 times", "nobody asked for event z"]


def test_nothing_is_wrong_where_the_unknown_did_or_did_not_happen() -> None:
    assert not lost_doubled_or_strange(
        "event", acknowledged=["a"], unknown=["x", "y"], found=["x", "a"]
    )


def test_differences_name_both_values() -> None:
    wrong = differences("c", {"a": 1, "b": 2}, {"b": 3, "c": 0}, 0)
    assert wrong == ["c a is 0, not 1", "c b is 3, not 2"]


def test_features_count_within_their_windows() -> None:
    history = [
        event("login", 1),
        event("login", 35),
        event("transfer_in", 25, "10.50"),
        event("salary", 80, "4.50"),
        event("payment", 1, "3.00"),
        event("payment", 100, "9.00"),
        event("product_view", 5),
    ]
    found = features_of(history, date(2026, 3, 4))
    assert (found["logins_30d"], found["logins_90d"]) == (1, 2)
    assert (found["inflow_30d"], found["inflow_90d"]) == (Decimal("10.50"), Decimal(15))
    assert (found["outflow_90d"], found["transaction_amount_90d"]) == (3, 3)
    assert (found["product_views_7d"], found["active_days_90d"]) == (1, 2)


def test_one_refusal_closes_its_product_and_the_second_its_category() -> None:
    first, second = outcome("refused", "fund_a"), outcome("refused", "fund_b", number=2)
    assert silences_of([first]) == {"fund_a"}
    assert silences_of([first, second]) == {"fund_a", "fund_b", "fund"}


def test_a_sale_closes_its_category_and_a_click_nothing() -> None:
    assert silences_of([outcome("converted", amount="5"), outcome("clicked", "card_a")]) == {"fund"}


def test_a_refusal_of_care_closes_its_action() -> None:
    assert silences_of([outcome("refused", None)]) == {"s-None"}


def test_each_settled_proposition_teaches_once() -> None:
    outcomes = [outcome("refused"), outcome("converted", number=2), outcome("clicked", number=3)]
    assert evidence_of([*outcomes, outcome("refused")]) == {"s-fund_a/app/in": PRIOR_WEIGHT + 2}


def test_performance_counts_propositions_and_adds_amounts() -> None:
    outcomes = [
        outcome("clicked"),
        outcome("clicked"),
        outcome("converted", amount="5", number=2),
        outcome("converted", amount="7", number=3),
    ]
    assert performance_of(outcomes) == {
        "s-fund_a clicked": 1,
        "s-fund_a converted": 2,
        "s-fund_a amount": 12,
    }


def test_holding_more_than_the_quota_is_an_overdraft() -> None:
    ledger = Ledger(quotas={"p": Decimal(2)})
    for _ in range(2):
        ledger.hold("p", Decimal(1))
    ledger.let_go("p", Decimal(1))
    ledger.hold("p", Decimal(1))
    assert ledger.overdrafts == []
    ledger.hold("p", Decimal(1))
    assert ledger.overdrafts == ["3 of 2 p"]


def test_only_marketing_messages_count_against_caps() -> None:
    ledger = Ledger(sends=Counter(["m1", "m1", "s1"]))
    ledger.contacts = [contact("m1", "marketing"), contact("s1", "service")]
    assert ledger.marketing_sends() == {"c": 2}
