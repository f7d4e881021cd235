"""Declared features against plain Python, on random histories told in any order."""

import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import count
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.profile.clients import Attributes
from services.profile.declarations import service
from services.profile.declarations.domain import Condition, Declaration, Operator
from services.profile.declarations.service import Writing
from services.profile.events.domain import Event
from services.profile.features import service as features
from services.profile.features.domain import Aggregate
from tests.profile.conftest import NOW, Profile
from tests.profile.declarations.bank import open_segment
from tests.profile.exports.test_api import exported
from tests.profile.features.reference import History, day_of
from tests.profile.features.test_random_histories import (
    Way,
    import_many,
    state,
    tell_one_by_one,
)

pytestmark = pytest.mark.anyio
_numbers = count(1)

SOURCE = "product_view"
COUNTED = (Aggregate.COUNT, Aggregate.DAYS, Aggregate.DAYS_SINCE)
COMPARED: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.EQUAL: operator.eq,
    Operator.UNEQUAL: operator.ne,
    Operator.LESS: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.MORE: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.IN: lambda one, many: one in many,
}
ORDERED = (Operator.LESS, Operator.AT_MOST, Operator.MORE, Operator.AT_LEAST)
days = st.one_of(st.sampled_from((0, 1, 29, 30, 31, 729, 730)), st.integers(0, 800))
seconds = st.sampled_from((0, 1, 0.1, 0.2, 12.25, 3_600))


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field, values = draw(
        st.sampled_from(
            [
                ("amount", st.sampled_from((0.0, 0.29, 50.0, 100.0))),
                ("data.duration_seconds", seconds.map(float)),
                ("data.category", st.sampled_from(("fund", "gold"))),
                ("channel", st.sampled_from(("app", "branch"))),
            ]
        )
    )
    is_number = field in {"amount", "data.duration_seconds"}
    known = [*COMPARED] if is_number else [each for each in COMPARED if each not in ORDERED]
    wanted = draw(st.sampled_from([*known, Operator.PRESENT]))
    if wanted is Operator.PRESENT:
        return Condition(field=field, operator=wanted, value=draw(st.booleans()))
    if wanted is Operator.IN:
        many = tuple(draw(st.lists(values, min_size=1, max_size=3)))
        return Condition(field=field, operator=wanted, value=many)
    return Condition(field=field, operator=wanted, value=draw(values))


@st.composite
def declarations(draw: st.DrawFn) -> Declaration:
    aggregate = draw(st.sampled_from(Aggregate))
    is_endless = aggregate in {Aggregate.LAST, Aggregate.DAYS_SINCE} and draw(st.booleans())
    of = st.sampled_from(("amount", "data.duration_seconds"))
    return Declaration(
        name=f"own_{next(_numbers)}",
        zh="词",
        en="Word",
        definition="What it counts",
        unit="",
        source=SOURCE,
        filter=tuple(draw(st.lists(conditions(), max_size=2))),
        aggregate=aggregate,
        of=None if aggregate in COUNTED else draw(of),
        window_days=None if is_endless else draw(st.sampled_from((1, 2, 30, 31, 730))),
        ground="flows",
        sensitive=False,
    )


@st.composite
def happenings(draw: st.DrawFn, number: int) -> Event:
    data = {
        "duration_seconds": draw(st.none() | seconds),
        "category": draw(st.sampled_from((None, "fund", "gold"))),
    }
    return Event(
        event_id=f"e{number}",
        customer_id="",
        type=draw(st.sampled_from((SOURCE, SOURCE, "login"))),
        occurred_at=NOW
        - timedelta(days=draw(days), minutes=draw(st.sampled_from((0, 0, 61, 600, 961)))),
        amount=draw(st.none() | st.sampled_from((0, 29, 5_000, 10_000, 10_001))),
        channel=draw(st.sampled_from((None, "app", "branch"))),
        sequence=draw(st.sampled_from((None, 0, 1))),
        data=draw(st.sampled_from((None, data))),
    )


def value_of(
    declared: Declaration, events: Sequence[Event], opened: date, as_of: datetime
) -> float | None:
    """What the feature is, looked at event by event."""
    today = day_of(as_of)
    since = today - timedelta(days=declared.window_days or 100_000)
    seen = [
        event
        for event in events
        if event.type == declared.source
        and event.occurred_at <= as_of
        and day_of(event.occurred_at) > since
        and all(holds(condition, event) for condition in declared.filter)
        and (declared.of is None or field_of(event, declared.of) is not None)
    ]
    seen.sort(key=lambda e: (e.occurred_at, -1 if e.sequence is None else e.sequence, e.event_id))
    told = [Decimal(str(field_of(event, declared.of))) for event in seen if declared.of]
    happened = {day_of(event.occurred_at) for event in seen}
    if declared.aggregate in {Aggregate.COUNT, Aggregate.DAYS, Aggregate.SUM}:
        totals = {"count": len(seen), "days": len(happened), "sum": float(sum(told, Decimal(0)))}
        return totals[declared.aggregate] if opened <= today else None
    if not seen:
        return None
    if declared.aggregate is Aggregate.DAYS_SINCE:
        return (today - max(happened)).days
    mean = rounded(sum(told, Decimal(0)) / len(told), declared)
    return {
        "mean": mean,
        "min": float(min(told)),
        "max": float(max(told)),
        "last": float(told[-1]),
    }[declared.aggregate]


def rounded(value: Decimal, declared: Declaration) -> float:
    is_money = declared.of == "amount"
    return float(value.quantize(Decimal("0.01"), ROUND_HALF_UP) if is_money else value)


def field_of(event: Event, name: str) -> Any:
    if name == "amount":
        return None if event.amount is None else event.amount / 100
    return (event.data or {}).get(name[5:]) if name.startswith("data.") else getattr(event, name)


def holds(condition: Condition, event: Event) -> bool:
    found = field_of(event, condition.field)
    if condition.operator is Operator.PRESENT:
        return (found is not None) is condition.value
    return found is not None and COMPARED[condition.operator](found, condition.value)


@st.composite
def histories(
    draw: st.DrawFn,
) -> tuple[list[Event], list[tuple[Way, list[Event]]], date]:
    """Events, and the batches they are told in: shuffled, some twice; when the account opened."""
    events = [draw(happenings(number)) for number in range(draw(st.integers(0, 15)))]
    told = [*events, *events[:4]]
    Random(draw(st.integers(0, 1000))).shuffle(told)
    cut = draw(st.integers(0, len(told)))
    ways = st.sampled_from((tell_one_by_one, import_many))
    opened = day_of(NOW) - timedelta(days=draw(days))
    return events, [(draw(ways), told[:cut]), (draw(ways), told[cut:])], opened


async def declare(profile: Profile, wanted: Sequence[Declaration]) -> None:
    """Declare features and count what there is; those of other examples are gone."""
    async with profile.database.transaction() as connection:
        await connection.execute("TRUNCATE declared_feature, declared_day")
    open_segment(profile)
    segment = Attributes(profile.app.state.client)
    writing = Writing(if_match="", author="chen", most=200)
    for each in wanted:
        await service.put(profile.database, each, segment, writing, profile.clock)


async def fill(profile: Profile) -> None:
    while await features.step(profile.database, profile.clock, customers=500):
        pass


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    wanted=st.lists(declarations(), min_size=4, max_size=8),
    told=histories(),
    declared_before=st.integers(0, 2),
    back=st.integers(1, 400),
)
async def test_l3_declared_features_equal_those_of_the_ordered_history(
    profile: Profile,
    wanted: list[Declaration],
    told: tuple[list[Event], list[tuple[Way, list[Event]]], date],
    declared_before: int,
    back: int,
) -> None:
    events, batches, opened = told
    customer_id, then = f"d{next(_numbers)}", NOW - timedelta(days=back)
    history = History(
        opened=opened, today=day_of(NOW), holdings=[], events=[], accounts=frozenset()
    )
    await state(profile, customer_id, history)
    async with profile.database.transaction() as connection:
        await connection.execute("UPDATE customer SET created_at = $1, updated_at = $1", then)
    for place, (tell, batch) in enumerate(batches):
        if place == declared_before:
            await declare(profile, wanted)
        await tell(profile, [replace(event, customer_id=customer_id) for event in batch])
    if declared_before == len(batches):
        await declare(profile, wanted)
    await fill(profile)

    found = await profile.features(customer_id)
    asked = {"columns": ",".join(each.name for each in wanted), "as_of": then.isoformat()}
    past = await of_the_past(profile, customer_id, **asked)
    anew = await of_the_past(profile, customer_id, **asked, known_at=NOW.isoformat())

    for each in wanted:
        now, before = (value_of(each, events, opened, at) for at in (NOW, then))
        assert found[each.name] == (now and pytest.approx(now)), each
        assert past[each.name] == anew[each.name] == (before and pytest.approx(before)), each


async def of_the_past(profile: Profile, customer_id: str, **params: str) -> dict[str, Any]:
    rows = await exported(profile, "/features/export", params=params)
    return next(row for row in rows if row["customer_id"] == customer_id)
