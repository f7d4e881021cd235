from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.strategy.customers.domain import Complaints, Consent, Flags, has_consent
from services.strategy.gates.domain.silence import complaint_silence
from services.strategy.gates.domain.standing import standing
from services.strategy.gates.domain.suitability import (
    SuitabilityRules,
    assessment_of,
    investor_of,
    is_suitable,
    needs_assessment,
)
from tests.strategy.builders import (
    CATEGORIES,
    CHANNELS,
    NOON,
    SHANGHAI,
    customer,
    product,
    with_features,
)

TODAY = date(2026, 3, 4)


def suitability(wanted, known, channel="app"):
    rules = SuitabilityRules()
    return is_suitable(
        wanted,
        CATEGORIES[wanted.category],
        investor_of(known, rules, now=NOON),
        channel=CHANNELS[channel],
        rules=rules,
    )


def code(refusal):
    return refusal and refusal.code


def fund(risk_level, **overrides):
    return product("f", category="fund", risk_level=risk_level, **overrides)


@pytest.mark.parametrize("risk_level", range(1, 6))
@pytest.mark.parametrize("risk_class", range(1, 6))
def test_b1_a_product_is_offered_only_if_its_risk_does_not_exceed_the_class(
    risk_level, risk_class
) -> None:
    refusal = suitability(fund(risk_level), customer(risk_class=risk_class))

    assert (refusal is None) == (risk_level <= risk_class)
    if refusal:
        assert refusal.code == "risk_above_class"
        assert refusal.values == {"risk_level": risk_level, "risk_class": risk_class}


def test_b2_a_minimum_out_of_line_with_the_means_is_not_suitable() -> None:
    wanted = fund(1, minimum_cny=500_000.0)

    assert code(suitability(wanted, customer())) == "beyond_means"
    assert suitability(wanted, with_features(customer(), aum=1_000_000)) is None
    assert suitability(fund(1, minimum_cny=10_000.0), with_features(customer(), aum=0)) is None


def test_b3_the_higher_of_two_ratings_counts() -> None:
    assert code(suitability(fund(1, issuer_risk_level=4), customer())) == "risk_above_class"
    assert code(suitability(fund(4, issuer_risk_level=1), customer())) == "risk_above_class"


@pytest.mark.parametrize("risk_level", range(1, 6))
def test_b5_without_an_assessment_only_r1_passes(risk_level) -> None:
    refusal = suitability(fund(risk_level), customer(risk_class=None))

    assert code(refusal) == (None if risk_level == 1 else "assessment_missing")


def test_b5_an_assessment_ends_at_its_last_second() -> None:
    known = customer(risk_valid_until=NOON)

    assert code(suitability(fund(2), known)) == "assessment_expired"
    assert (
        suitability(fund(2), replace(known, risk_valid_until=NOON + timedelta(seconds=1))) is None
    )


def test_b5_deposits_need_no_assessment_and_r1_is_marked() -> None:
    known = customer(risk_class=None)
    assessment = assessment_of(known, now=NOON)

    assert suitability(product("t"), known) is None
    assert not needs_assessment(CATEGORIES["term_deposit"], assessment)
    assert needs_assessment(CATEGORIES["fund"], assessment)


def test_b5_an_investment_product_without_a_rating_is_refused() -> None:
    assert code(suitability(fund(None), customer(risk_class=5))) == "rating_missing"


def test_b7_private_placements_are_for_qualified_investors() -> None:
    wanted = product("p", category="trust_private", risk_level=1, is_private_placement=True)

    assert code(suitability(wanted, customer())) == "not_qualified_investor"
    assert suitability(wanted, with_features(customer(), qualified_investor=True)) is None


@pytest.mark.parametrize(
    ("age", "risk_level", "channel", "expected"),
    [
        (64, 5, "app", None),
        (65, 2, "app", None),
        (65, 3, "app", "aged_face_to_face_only"),
        (65, 3, "branch", None),
        (65, 4, "branch", "aged_high_risk"),
        (80, 5, "branch", "aged_high_risk"),
    ],
)
def test_b12_the_aged_are_spared_high_risk(age, risk_level, channel, expected) -> None:
    known = with_features(customer(risk_class=5), age=age)

    assert code(suitability(fund(risk_level), known, channel)) == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (Flags(), None),
        (Flags(is_deceased=True), "deceased"),
        (Flags(is_frozen=True), "frozen"),
        (Flags(in_hardship=True), "in_hardship"),
        (Flags(in_collection=True), "in_collection"),
        (Flags(minor_until=TODAY), None),
        (Flags(minor_until=TODAY + timedelta(days=1)), "minor"),
    ],
)
def test_b12_some_customers_are_left_alone(flags, expected) -> None:
    assert code(standing(flags, today=TODAY)) == expected


def test_b12_a_complaint_silences_while_open_and_ninety_days_after() -> None:
    closed = NOON - timedelta(days=90)

    def silence(complaints):
        return code(complaint_silence(complaints, rest_days=90, now=NOON, zone=SHANGHAI))

    assert silence(Complaints(open=1)) == "complaint_open"
    assert silence(Complaints(open=0, last_closed_at=closed)) == "complaint_recent"
    assert silence(Complaints(open=0, last_closed_at=closed - timedelta(days=1))) is None
    assert silence(Complaints()) is None


def consent(channel, is_granted, days_ago):
    at = NOON - timedelta(days=days_ago)
    return Consent(purpose="marketing", channel=channel, is_granted=is_granted, at=at)


@pytest.mark.parametrize(
    ("consents", "expected"),
    [
        ([], False),
        ([consent("all", True, 1)], True),
        ([consent("all", False, 1)], False),
        ([consent("sms", True, 1)], True),
        ([consent("app", True, 1)], False),
        ([consent("sms", False, 9), consent("all", True, 1)], False),
        ([consent("sms", True, 9), consent("all", False, 1)], False),
        ([consent("sms", True, 1), consent("all", False, 9)], True),
    ],
)
def test_p3_no_record_is_no_consent_and_the_strictest_reading_wins(consents, expected) -> None:
    assert has_consent(consents, "marketing", "sms") is expected
    assert has_consent(list(reversed(consents)), "marketing", "sms") is expected
