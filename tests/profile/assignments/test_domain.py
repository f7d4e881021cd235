"""Sharing customers out: nobody over capacity, evenly, and the same whatever the order."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.assignments import domain
from services.profile.assignments.domain import (
    Assignment,
    AssignmentSettled,
    Group,
    Planned,
    State,
    Why,
    allocate,
    fitting,
)
from services.profile.managers.domain import Entry, Manager
from services.profile.vocabulary import Label, OwnershipRule
from shared.errors import SecondPersonNeeded

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
ORGS = ("bank", "bank/a", "bank/a/1", "bank/b")


def rule(key: str = "r", *, serves: str = "wealth_manager", org: Any = "same") -> OwnershipRule:
    return OwnershipRule(
        key=key, label=Label(key, key), rule="TRUE", serves=serves, org=org, separate_consent=False
    )


def manager(
    rm_id: str, org_path: str = "bank/a", *, capacity: int = 10, customers: int = 0
) -> Entry:
    known = Manager(
        rm_id=rm_id, org_path=org_path, serves=("wealth_manager",), capacity=capacity,
        is_active=True,
    )  # fmt: skip
    return Entry(manager=known, version=1, author="s-1", updated_at=NOW, customers=customers)


def gets(
    counts: dict[Group, int], rules: list[OwnershipRule], managers: list[Entry]
) -> dict[str, int]:
    shares = allocate(counts, rules, managers)
    return {load.rm_id: load.planned for load in domain.loads_of(shares, managers)}


def test_customers_go_to_the_smallest_load_in_relation_to_capacity_and_ties_by_id() -> None:
    managers = [manager("b", capacity=20, customers=10), manager("c"), manager("a", customers=4)]

    assert gets({Group("r", "bank/a"): 7}, [rule()], managers) == {"a": 2, "b": 0, "c": 5}
    assert gets({Group("r", "bank/a"): 1}, [rule()], [manager("b"), manager("a")])["a"] == 1


def test_nearest_looks_above_once_nobody_of_the_org_unit_has_room() -> None:
    managers = [manager("own", "bank/a/1", capacity=2), manager("above", "bank")]
    group = Group("r", "bank/a/1")

    assert gets({group: 5}, [rule(org="nearest")], managers) == {"above": 3, "own": 2}
    left = allocate({group: 5}, [rule()], managers)[-1]
    assert (left.count, left.rm_id, left.why) == (3, None, Why.CAPACITY_FULL)
    (nobody,) = allocate({group: 5}, [rule(serves="mass_rm")], managers)
    assert (nobody.count, nobody.why) == (5, Why.NO_MANAGER)


_ENTRIES = st.lists(
    st.tuples(st.sampled_from(ORGS), st.integers(0, 6), st.integers(0, 8)), max_size=6
)
_COUNTS = st.dictionaries(
    st.builds(Group, st.sampled_from(["r", "s"]), st.sampled_from(ORGS)), st.integers(1, 9)
)


@given(entries=_ENTRIES, counts=_COUNTS, seed=st.integers(0, 99))
def test_no_capacity_is_exceeded_nobody_is_lost_and_order_is_nothing(
    entries: list[tuple[str, int, int]], counts: dict[Group, int], seed: int
) -> None:
    rules = [rule("r", org="nearest"), rule("s")]
    managers = [
        manager(f"m{place}", org, capacity=capacity, customers=customers)
        for place, (org, capacity, customers) in enumerate(entries)
    ]
    shares = allocate(counts, rules, managers)
    mixed = random.Random(seed)
    again = allocate(
        dict(mixed.sample(list(counts.items()), len(counts))),
        rules,
        mixed.sample(managers, len(managers)),
    )

    assert again == shares
    for group, count in counts.items():
        assert sum(each.count for each in shares if each.group == group) == count
    for load in domain.loads_of(shares, managers):
        assert load.planned == 0 or load.before + load.planned <= load.capacity
    assert sum(each.planned for each in domain.counts_of(shares, rules)) == sum(
        each.planned for each in domain.loads_of(shares, managers)
    )


def test_what_filled_up_since_it_was_planned_is_not_overfilled() -> None:
    planned = [
        Planned(customer_id=f"c{n}", rule="r", org_path="bank/a", from_rm=None, rm_id=rm_id)
        for n, rm_id in enumerate(["full", "left", "one", "one"])
    ]
    managers = [manager("full", capacity=1, customers=3), manager("one", capacity=1)]

    assert list(fitting(planned, managers)) == ["c2"]


def test_another_person_accepts_what_is_planned_and_who_proposed_it_may_call_it_off() -> None:
    planning = Assignment(
        assignment_id="a1", org=None, rules=(), state=State.PLANNING, proposed_by="s-1",
        proposed_at=NOW,
    )  # fmt: skip
    proposed = replace(planning, state=State.PROPOSED)

    with pytest.raises(AssignmentSettled, match="planning"):
        domain.accepted(planning, "s-2", NOW)
    with pytest.raises(SecondPersonNeeded):
        domain.accepted(proposed, "s-1", NOW)
    assert domain.accepted(proposed, "s-2", NOW).state is State.ACCEPTED
    assert domain.cancelled(planning, "s-1", NOW).state is State.CANCELLED
    with pytest.raises(AssignmentSettled):
        domain.cancelled(domain.accepted(proposed, "s-2", NOW), "s-1", NOW)
