"""What two wills make together, and how they come apart again (L9)."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.profile.consents.domain import Channel, Consent, State, Statement, applied
from services.profile.merges.domain import (
    STRICT,
    Joined,
    Merge,
    Saying,
    Switch,
    Will,
    lived_through,
    permits,
    refuses,
    said,
    strictest,
    survivors,
)
from services.profile.purposes.domain import Purpose

START = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = (Channel.ALL, Channel.SMS, Channel.APP)
PURPOSES = (Purpose.MARKETING, Purpose.PROFILING)

moments = st.integers(0, 20).map(lambda hours: START + timedelta(hours=hours))
statements = st.builds(
    Statement,
    purpose=st.sampled_from(PURPOSES),
    channel=st.sampled_from(CHANNELS),
    state=st.sampled_from(State),
    text_version=st.just("v1"),
    at=moments,
    evidence=st.just("form"),
)
switches = st.builds(Switch, name=st.sampled_from(sorted(STRICT)), value=st.booleans())
sayings: st.SearchStrategy[Saying] = st.one_of(statements, switches)


def silent() -> Will:
    return Will(switches={name: not strict for name, strict in STRICT.items()})


@st.composite
def wills(draw: st.DrawFn) -> Will:
    """A will that a customer can come to by saying things."""
    return lived_through(silent(), draw(st.lists(sayings, max_size=6)))


@given(wills(), wills())
def test_l9_together_they_permit_just_what_both_permit(one: Will, other: Will) -> None:
    together = strictest(one, other)

    for purpose in PURPOSES:
        for channel in (*CHANNELS, Channel.EMAIL):
            both = {permits(will.consents, purpose, channel) for will in (one, other)}
            allowed = permits(together.consents, purpose, channel) is State.GRANTED
            assert allowed == (both == {State.GRANTED})
            if State.WITHDRAWN in both:
                assert permits(together.consents, purpose, channel) is State.WITHDRAWN
    for name, strict in STRICT.items():
        values = (one.switches[name], other.switches[name])
        assert (together.switches[name] is strict) == (strict in values)


@given(wills(), wills())
def test_who_joins_whom_makes_no_difference(one: Will, other: Will) -> None:
    assert strictest(one, other) == strictest(other, one)


@given(wills(), st.lists(st.tuples(st.integers(0, 9), wills()), max_size=3), st.lists(sayings))
def test_l9_without_the_merges_only_what_was_said_remains(
    own: Will, joined: list[tuple[int, Will]], heard: list[Saying]
) -> None:
    happenings: list[Joined | Saying] = list(heard)
    for place, will in joined:
        happenings.insert(place, Joined(will=will, at=START))

    apart = [each for each in happenings if not isinstance(each, Joined)]

    assert lived_through(own, apart) == lived_through(own, heard)


@given(wills(), wills(), statements)
def test_l9_a_permission_from_before_the_merge_binds_nobody_after_it(
    one: Will, other: Will, late: Statement
) -> None:
    merged_at = START + timedelta(hours=21)
    joined = lived_through(one, [Joined(will=other, at=merged_at)])

    after = said(joined, late, merged_at=merged_at)

    for channel in CHANNELS:
        if permits(after.consents, late.purpose, channel) is State.GRANTED:
            assert permits(joined.consents, late.purpose, channel) is State.GRANTED


@given(wills(), statements)
def test_a_refusal_said_to_a_party_binds_a_record_that_is_parted(
    will: Will, saying: Statement
) -> None:
    if refuses(saying):
        carried = lived_through(will, [saying])
        wanted = {(each.purpose, each.channel): each for each in will.consents}
        wanted |= {(c.purpose, c.channel): c for c in applied(will.consents, saying)}
        assert set(carried.consents) == set(wanted.values())


def merge(merged: str, survivor: str) -> Merge:
    return Merge(
        merge_id=f"{merged}-{survivor}",
        customer_id=survivor,
        merged=merged,
        merged_at=START,
        merged_by="a person",
        reason="same person",
    )


def test_the_survivor_of_a_chain_is_its_last_one() -> None:
    chain = [merge("c3", "c2"), merge("c2", "c1"), merge("c4", "c1")]

    assert survivors(chain) == {"c3": "c1", "c2": "c1", "c4": "c1"}


def test_consent_that_only_one_record_gave_is_no_consent_of_the_party() -> None:
    gave = Will(
        consents=(
            Consent(purpose=Purpose.MARKETING, channel=Channel.ALL, state=State.GRANTED, at=START),
        ),
        switches=silent().switches,
    )

    assert strictest(gave, silent()) == silent()
