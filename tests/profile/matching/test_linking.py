"""The linkage itself, over people of Chinese names made up by seeded dice."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest

from services.profile.matching.domain.columns import table_of
from services.profile.matching.domain.parties import Party
from services.profile.matching.domain.proposals import Proposal
from services.profile.matching.service.linking import link
from services.profile.vocabulary import matching

FAMILY, GIVEN = "王李张刘陈杨黄赵吴周徐孙", "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平"
CITIES = ("北京", "上海", "成都", "西安")
MODEL = matching().linkage
PEOPLE, TWICE = 1_500, 120


def person(number: int, rng: np.random.Generator, **changed: str) -> Party:
    given = "".join(rng.choice(list(GIVEN), size=rng.integers(1, 3)))
    identifiers = {
        "name": f"{rng.choice(list(FAMILY))}{given}",
        "phone": f"138{rng.integers(10**8):08}",
    }
    return Party(
        customer_id=f"c{number:05}",
        party_type="person",
        birth_date=date(1950, 1, 1) + timedelta(days=int(rng.integers(20_000))),
        city=str(rng.choice(CITIES)),
        identifiers=identifiers | changed,
    )


def again(number: int, first: Party, rng: np.random.Generator) -> Party:
    """The same person entered a second time, with a new phone or a slip of the pen."""
    phone = first.identifiers["phone"]
    slip = f"{phone[:-1]}{(int(phone[-1]) + 1) % 10}"
    new = f"139{rng.integers(10**8):08}"
    return Party(
        customer_id=f"c{number:05}",
        party_type="person",
        birth_date=first.birth_date,
        city=first.city,
        identifiers={
            "name": first.identifiers["name"],
            "phone": str(rng.choice([phone, slip, new])),
        },
    )


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(7)
    people = [person(number, rng) for number in range(PEOPLE)]
    people += [again(PEOPLE + number, people[number], rng) for number in range(TWICE)]
    return table_of(people)


@pytest.fixture(scope="module")
def found(table: pa.Table) -> list[Proposal]:
    return link(table, MODEL, memory="500MB")


def test_persons_entered_twice_are_proposed_and_hardly_anybody_else(found: list[Proposal]) -> None:
    true = {(f"c{number:05}", f"c{PEOPLE + number:05}") for number in range(TWICE)}
    proposed = {(each.customer_id, each.other_id) for each in found}

    assert len(proposed & true) >= 0.95 * len(true)
    assert len(proposed & true) >= 0.95 * len(proposed)


def test_the_evidence_says_which_level_held_and_no_value(found: list[Proposal]) -> None:
    levels = {
        each.key: {level.key for level in each.levels} | {"different"} for each in MODEL.comparisons
    }

    for proposal in found:
        assert MODEL.propose_from <= proposal.probability <= 1
        assert {said.comparison for said in proposal.evidence} == {
            "name", "birth_date", "city", "phone",
        }  # fmt: skip
        assert all(said.level in levels[said.comparison] for said in proposal.evidence)


def test_the_same_people_give_the_same_proposals(table: pa.Table, found: list[Proposal]) -> None:
    assert link(table, MODEL, memory="500MB") == found


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_handful_of_people_teaches_nothing_and_breaks_nothing(
    table: pa.Table, count: int
) -> None:
    assert link(table.slice(0, count), MODEL, memory="500MB") == []


def test_what_does_not_fit_into_memory_ends_without_a_file(table: pa.Table) -> None:
    with pytest.raises(MemoryError):
        link(table, MODEL, memory="4MB")


def test_a_field_that_nobody_has_is_silent(table: pa.Table) -> None:
    undated = replaced(table, "birth_date", [None] * table.num_rows)

    found = link(undated, MODEL, memory="500MB")

    assert len(found) > TWICE / 4
    assert {said.comparison for each in found for said in each.evidence} == {
        "name", "city", "phone",
    }  # fmt: skip


def test_a_field_in_which_nobody_agrees_still_speaks_against(table: pa.Table) -> None:
    unlike = replaced(table, "name", [f"{number:05}" for number in range(table.num_rows)])

    found = link(unlike, MODEL, memory="500MB")

    assert found
    assert all(each.evidence[0].comparison == "name" for each in found)


def replaced(table: pa.Table, name: str, values: list[str | None]) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(place), pa.array(values, pa.string()))
