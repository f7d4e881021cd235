from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.profile.conduct.domain import Breach, Sale, State, breach_of, reviewed

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
DAYS = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))


def sale(**facts: object) -> Sale:
    usual: dict[str, object] = {
        "customer_id": "c1",
        "event_id": "e1",
        "occurred_at": NOW,
        "category": "fund",
        "risk_level": 3,
        "risk_class": 3,
        "valid_until": NOW + timedelta(days=1),
    }
    return Sale(**{**usual, **facts})  # type: ignore[arg-type]


def test_b6_a_sale_before_any_assessment_is_found_an_r1_product_too() -> None:
    nothing = {"risk_class": None, "valid_until": None}

    assert breach_of(sale(**nothing)) is Breach.NO_ASSESSMENT
    assert breach_of(sale(**nothing, risk_level=1)) is Breach.NO_ASSESSMENT


def test_b6_an_assessment_covers_sales_until_its_last_second() -> None:
    assert breach_of(sale(valid_until=NOW)) is Breach.ASSESSMENT_EXPIRED
    assert breach_of(sale(valid_until=NOW + timedelta(seconds=1))) is None


def test_b1_and_b6_all_pairs_of_ratings_and_classes_are_compared() -> None:
    for level in range(1, 6):
        for risk_class in range(1, 6):
            found = breach_of(sale(risk_level=level, risk_class=risk_class))
            assert (found is Breach.CLASS_EXCEEDED) == (level > risk_class)
    assert breach_of(sale(risk_level=None, risk_class=1)) is None


sales = st.builds(
    sale,
    risk_level=st.none() | st.integers(1, 5),
    risk_class=st.none() | st.integers(1, 5),
    valid_until=DAYS,
)


@given(st.lists(sales, max_size=5))
def test_b6_findings_say_what_the_last_look_saw_whatever_was_seen_before(seen: list[Sale]) -> None:
    known = {}
    for day, each in enumerate(seen):
        now = NOW + timedelta(days=day)
        changes = reviewed([each], known, now)
        known |= {(found.sale.customer_id, found.sale.event_id): found for found in changes}
        assert all(found.changed_at == now for found in changes)
        assert reviewed([each], known, now) == []

        finding = known.get(("c1", "e1"))
        is_open = finding is not None and finding.state is State.OPEN
        assert is_open == (breach_of(each) is not None)
        if finding is not None and is_open:
            assert finding.breach is breach_of(each)
