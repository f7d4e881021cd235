"""What becomes of a customer's alerts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.profile.vocabulary import alert_kinds
from services.profile.watch.domain import Last, changes

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
SHIPPED = next(iter(alert_kinds().values()))
KINDS = {
    key: replace(SHIPPED, key=key, quiet_days=days) for key, days in (("a", 0), ("b", 7), ("c", 30))
}
HOLDING = st.sets(st.sampled_from(sorted(KINDS)))
LASTS = st.dictionaries(
    st.tuples(st.sampled_from(["c1", "c2"]), st.sampled_from([*KINDS, "dropped"])),
    st.none() | st.integers(0, 60),
).map(
    lambda found: [
        Last(
            customer_id=record,
            kind=kind,
            id=f"{record}-{kind}",
            ended_at=None if days is None else NOW - timedelta(days=days),
        )
        for (record, kind), days in found.items()
    ]
)


@given(HOLDING, LASTS)
def test_afterwards_just_what_holds_is_open(holding: set[str], lasts: list[Last]) -> None:
    found = changes(holding, lasts, KINDS, now=NOW)

    are_open = {last.kind for last in lasts if last.ended_at is None}
    begun = {*found.to_begin, *(last.kind for last in found.to_resume)}
    ended = {last.kind for last in found.to_end}
    assert (are_open | begun) - ended == holding
    assert not begun & are_open
    assert not set(found.to_begin) & {last.kind for last in found.to_resume}


@given(HOLDING, LASTS)
def test_one_goes_on_only_within_its_quiet_period(holding: set[str], lasts: list[Last]) -> None:
    found = changes(holding, lasts, KINDS, now=NOW)

    for last in found.to_resume:
        assert last.ended_at is not None
        assert NOW - last.ended_at < timedelta(days=KINDS[last.kind].quiet_days)
    for key in found.to_begin:
        ended = [last.ended_at for last in lasts if last.kind == key]
        quiet = timedelta(days=KINDS[key].quiet_days)
        assert all(at is not None and NOW - at >= quiet for at in ended)


def test_an_alert_on_any_record_of_a_party_is_the_partys() -> None:
    other = Last(customer_id="c2", kind="a", id="x", ended_at=None)

    assert changes({"a"}, [other], KINDS, now=NOW) == changes((), (), KINDS, now=NOW)
    assert changes((), [other], KINDS, now=NOW).to_end == (other,)
