from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.consents.domain import (
    Channel,
    Consent,
    Consents,
    Preferences,
    Statement,
    applied,
    counted,
    lapse_of,
)
from services.profile.consents.domain import State as Will
from services.profile.purposes.domain import (
    NOTICE,
    Lapse,
    NoConsentAsked,
    Purpose,
    State,
    Text,
    TextInUse,
    TextOutdated,
    accepted,
    check,
    check_grant,
    current,
    lapses,
)
from services.strategy.customers.domain import Consent as Known
from services.strategy.customers.domain import Customer, has_consent
from services.strategy.customers.domain import Lapse as Heard
from services.strategy.customers.domain import counted as counted_by_strategy
from shared.errors import SecondPersonNeeded

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def text(version: str = "v2", *, days: float = 1, needs: bool = True, **facts: object) -> Text:
    at = NOW + timedelta(days=days)
    wanted = Text(
        purpose=Purpose.MARKETING,
        text_version=version,
        meaning_zh="营销",
        meaning_en="Marketing",
        needs_new_consent=needs,
        since=at,
        lapses_at=None,
        state=State.PROPOSED,
        proposed_by="li",
        proposed_at=NOW,
    )
    return replace(wanted, **facts)  # type: ignore[arg-type]


def in_use(version: str = "v2", *, days: float = 1, needs: bool = True) -> Text:
    at = NOW + timedelta(days=days)
    return text(
        version, days=days, needs=needs, state=State.ACCEPTED, lapses_at=at if needs else None
    )


def test_who_proposes_a_text_does_not_accept_it() -> None:
    with pytest.raises(SecondPersonNeeded):
        accepted(text(), [], by="li", at=NOW)


def test_a_text_begins_when_all_have_heard_of_it() -> None:
    begun = accepted(text(days=-3), [], by="wang", at=NOW)

    assert (begun.since, begun.lapses_at) == (NOW + NOTICE, NOW + NOTICE)
    assert accepted(text(days=2, needs=False), [], by="wang", at=NOW).lapses_at is None


def test_older_consents_may_count_for_a_while_to_ask_anew() -> None:
    later = NOW + timedelta(days=30)

    begun = accepted(text(days=2, lapses_at=later), [], by="wang", at=NOW)

    assert (begun.since, begun.lapses_at) == (NOW + timedelta(days=2), later)


def test_texts_follow_each_other_in_time() -> None:
    first = in_use("v2", days=5)

    assert accepted(text("v3", days=2), [first], by="wang", at=NOW).since == first.since


def test_a_text_in_use_is_not_changed_and_nobody_consents_to_personalisation() -> None:
    with pytest.raises(TextInUse):
        check(text("v2"), [in_use("v2")])
    with pytest.raises(NoConsentAsked):
        check(text(purpose=Purpose.PERSONALIZATION), [])


def test_p2_a_consent_to_an_outdated_text_is_refused_and_the_current_one_named() -> None:
    texts = [in_use("v2", days=1), in_use("v2.1", days=3, needs=False)]
    for version, days in (("v1", 0), ("v1", 1), ("v2", 2), ("v2", 4), ("v2.1", 4)):
        check_grant(texts, version, NOW + timedelta(days=days))
    with pytest.raises(TextOutdated, match=r"v2\.1"):
        check_grant(texts, "v1", NOW + timedelta(days=4))

    shown = current(texts, NOW + timedelta(days=2))
    assert shown is not None
    assert shown.text_version == "v2"


moments = st.integers(0, 8).map(lambda hours: NOW + timedelta(hours=hours))
statements = st.builds(
    Statement,
    purpose=st.sampled_from([Purpose.MARKETING, Purpose.PROFILING]),
    channel=st.sampled_from([Channel.ALL, Channel.SMS]),
    state=st.sampled_from(Will),
    text_version=st.just("v1"),
    at=moments,
    evidence=st.just("form"),
)


def standing(said: list[Statement]) -> Consents:
    known: dict[tuple[Purpose, Channel], Consent] = {}
    for each in said:
        for consent in applied(known.values(), each):
            known[consent.purpose, consent.channel] = consent
    return Consents(customer_id="c1", consents=tuple(known.values()), preferences=Preferences())


@given(st.lists(statements, max_size=6), moments)
def test_p2_no_consent_of_before_a_change_counts_and_every_later_word_does(
    said: list[Statement], before: datetime
) -> None:
    lapse = Lapse(purpose=Purpose.MARKETING, text_version="v2", before=before, at=before)
    found = standing(said)
    now = counted(found, [lapse])

    granted = [each for each in now.consents if each.state is Will.GRANTED]
    assert all(each.at > before for each in granted if each.purpose is Purpose.MARKETING)
    later = [each for each in found.consents if each.at > before or each.purpose != lapse.purpose]
    assert set(later) <= set(now.consents)
    assert counted(now, [lapse]) == now
    if any(each.state is Will.GRANTED and each not in later for each in found.consents):
        recorded = standing([*said, lapse_of(lapse)])
        assert set(recorded.consents) == set(now.consents)


@given(st.lists(statements, max_size=6), moments, moments)
def test_p2_strategy_and_profile_agree_at_every_instant(
    said: list[Statement], before: datetime, now: datetime
) -> None:
    lapse = Lapse(purpose=Purpose.MARKETING, text_version="v2", before=before, at=before)
    found = standing(said)
    at_profile = counted(found, [lapse] if lapse.at <= now else [])
    heard = Heard(purpose="marketing", before=before, at=before)
    customer = Customer(id="c1", consents=tuple(map(known, found.consents)))

    at_strategy = counted_by_strategy(customer, [heard], now)

    for channel in ("sms", "app"):
        assert has_consent(at_strategy.consents, "marketing", channel) == has_consent(
            map(known, at_profile.consents), "marketing", channel
        )


def known(consent: Consent) -> Known:
    return Known(
        purpose=consent.purpose,
        channel=consent.channel,
        is_granted=consent.state is Will.GRANTED,
        at=consent.at,
    )


def test_only_texts_that_need_new_consent_make_older_ones_lapse() -> None:
    found = lapses([in_use("v2"), in_use("v2.1", days=3, needs=False), text("v3", days=4)])

    assert [each.text_version for each in found] == ["v2"]
