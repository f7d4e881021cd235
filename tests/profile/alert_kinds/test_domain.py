"""Kinds of alerts: the shipped ones say what they mean, a bad one is refused where it is bad."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.alert_kinds.domain import AlertKindUnreadable, check
from services.profile.attributes.domain import Told, words_of
from services.profile.rulebooks.domain import NeedsSeparateConsent, compiled
from services.profile.vocabulary import alert_kinds, attributes

WORDS = words_of(attributes().values(), ())
RULES = compiled(alert_kinds().values(), WORDS.catalogue)
KIND = alert_kinds()["overdue"]
VIP = Told("vip", "enum", ("yes", "no"), is_sensitive=False, is_deleted=False)
SIGNALS: dict[str, dict[str, Any]] = {
    "falls": {"aum_trend": -0.3},
    "quiet": {"days_since_login": 61},
    "unrenewed": {"matured_unrenewed": 9_000.0},
    "leaves": {"external_self_outflow_90d": 30_000.0, "aum": 100_000.0},
    "complains": {"has_open_complaint": True},
}


def refused(kind: Any) -> dict[str, str]:
    with pytest.raises(AlertKindUnreadable) as raised:
        check(kind, WORDS, alert_kinds())
    return {each.pointer: each.detail for each in raised.value.errors}


@given(st.sets(st.sampled_from(sorted(SIGNALS))))
def test_three_signals_are_a_high_risk_and_fewer_a_low_one(signals: set[str]) -> None:
    values = {"aum_peak_24m": 60_000.0}
    for name in signals:
        values |= SIGNALS[name]

    holding = RULES.holding(values) & {"churn_high", "churn_low"}

    is_low = bool(signals - {"complains"})
    expected = {"churn_high"} if len(signals) >= 3 else {"churn_low"} if is_low else set[str]()
    assert holding == expected


@pytest.mark.parametrize(
    ("key", "holds", "does_not"),
    [
        ("aum_fell", {"aum": 200_000.0, "aum_change_30d": -50_000.0}, {"aum": 200_001.0}),
        ("maturity_near", {"days_to_next_maturity": 7}, {"days_to_next_maturity": 8}),
        ("complaint_open", {"has_open_complaint": True}, {"has_open_complaint": None}),
        ("upgrade_near", {"aum_avg_month": 35_000.0}, {"aum_avg_month": 50_000.0}),
        ("churn_low", {"lifecycle": "deterioration", "aum_peak_24m": 5e4}, {"lifecycle": 3}),
        ("overdue", {"overdue_days": 1}, {"overdue_days": 0}),
    ],
)
def test_a_shipped_alert_holds_up_to_its_bound(
    key: str, holds: dict[str, Any], does_not: dict[str, Any]
) -> None:
    assert key in RULES.holding(holds)
    assert key not in RULES.holding(holds | does_not)


def test_evidence_is_what_the_rule_reads_and_what_is_shown() -> None:
    assert RULES.evidence("overdue", {"overdue_days": 3, "age": 40}) == {
        "loan_balance": None, "overdue_days": 3,
    }  # fmt: skip


def test_every_shipped_alert_passes_the_check_of_the_banks_own() -> None:
    for kind in alert_kinds().values():
        check(kind, WORDS, alert_kinds())
    assert not RULES.unreadable


def test_a_bad_kind_is_refused_with_the_place_and_what_was_meant() -> None:
    faults = refused(replace(KIND, rule="overdue_day > 1", shown=("loan_balanc",), yields_to="x"))

    assert faults.keys() == {"/rule", "/shown/0", "/yields_to"}
    assert "at 0" in faults["/rule"]
    assert "overdue_days" in faults["/rule"]
    assert "loan_balance" in faults["/shown/0"]


def test_p5_a_sensitive_attribute_needs_the_separate_consent_shown_or_read() -> None:
    for kind in (replace(KIND, shown=("household_aum",)), replace(KIND, rule="household_aum > 1")):
        with pytest.raises(NeedsSeparateConsent, match="household_aum"):
            check(kind, WORDS, alert_kinds())
        agreed = replace(kind, separate_consent=True)
        check(agreed, WORDS, alert_kinds())


def test_words_that_segment_tells_count_and_a_rule_that_lost_one_is_out() -> None:
    own = words_of(attributes().values(), [VIP])
    kind = replace(KIND, rule="vip = 'yes'")

    assert compiled([kind], own.catalogue).holding({"vip": "yes"}) == {"overdue"}
    assert compiled([kind], own.catalogue).holding({"vip": 1}) == frozenset()
    assert compiled([kind], WORDS.catalogue).unreadable.keys() == {"overdue"}
    overdue = replace(VIP, name="overdue_days", type="int", values=(), is_deleted=True)
    assert "overdue_days" not in words_of(attributes().values(), [overdue]).catalogue


def test_p5_a_sensitive_attribute_that_segment_tells_needs_the_separate_consent() -> None:
    words = words_of(attributes().values(), [replace(VIP, is_sensitive=True)])

    with pytest.raises(NeedsSeparateConsent, match="vip"):
        check(replace(KIND, rule="vip = 'yes'"), words, alert_kinds())
