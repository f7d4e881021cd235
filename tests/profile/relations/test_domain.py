from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.relations.domain.admission import Admission
from services.profile.relations.domain.relations import (
    EndsBeforeItBegins,
    Relation,
    RelationCycle,
    RelationFixed,
    RelationTaken,
    SelfRelation,
    UnknownParty,
    UnknownRelationKind,
    WrongPartyType,
    WrongRole,
    WrongShare,
    check_form,
    read,
)
from services.profile.vocabulary import relation_kinds
from shared.errors import DomainError

KINDS = relation_kinds()
PARTIES = dict.fromkeys("abcdefgh", "person") | dict.fromkeys("xyz", "company")


def relation(kind: str, from_id: str, to_id: str, **facts: Any) -> Relation:
    stated = {
        "relation_id": f"{kind}-{from_id}-{to_id}",
        "source": "rm",
        "confidence": 1.0,
        "recorded_at": datetime(2026, 3, 2, tzinfo=UTC),
        **facts,
    }
    return Relation(kind=kind, from_id=from_id, to_id=to_id, **stated)


def admission(*known: Relation) -> Admission:
    return Admission(KINDS, PARTIES, known)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (relation("referral", "a", "a"), SelfRelation),
        (relation("friend", "a", "b"), UnknownRelationKind),
        (relation("household", "a", "b"), WrongRole),
        (relation("household", "a", "b", role="finance_head"), WrongRole),
        (relation("guarantor", "a", "b", role="child"), WrongRole),
        (relation("shareholder", "x", "a", share=100.5), WrongShare),
        (relation("shareholder", "x", "a", share=-0.1), WrongShare),
        (relation("guarantor", "x", "a", share=10), WrongShare),
        (
            relation("guarantor", "x", "a", since=date(2026, 1, 2), until=date(2026, 1, 1)),
            EndsBeforeItBegins,
        ),
        (relation("referral", "a", "nobody"), UnknownParty),
        (relation("employment", "a", "b"), WrongPartyType),
        (relation("employment", "x", "y"), WrongPartyType),
        (relation("supply", "x", "a"), WrongPartyType),
    ],
)
def test_what_makes_no_sense_is_refused_and_says_where(
    wrong: Relation, error: type[DomainError]
) -> None:
    with pytest.raises(error) as refused:
        admission().admit(wrong)

    assert all(each.pointer.startswith("/") for each in refused.value.errors)
    assert refused.value.errors


def test_a_share_may_be_anything_from_nothing_to_all() -> None:
    for share in (0, 20, 100):
        check_form(relation("shareholder", "x", "a", share=share), KINDS)


def test_a_relation_keeps_its_kind_and_its_parties() -> None:
    known = relation("guarantor", "x", "a", relation_id="r")
    admitted = admission(known)

    admitted.admit(replace(known, until=date(2026, 1, 1)))
    with pytest.raises(RelationFixed):
        admitted.admit(replace(known, to_id="b"))
    with pytest.raises(RelationFixed):
        admitted.admit(replace(known, kind="legal_representative"))


def test_a_company_has_one_legal_representative_after_the_other() -> None:
    first = relation("legal_representative", "x", "a", until=date(2026, 1, 1))
    second = relation("legal_representative", "x", "b", since=date(2026, 1, 1))
    admitted = admission(first)

    admitted.admit(second)
    admitted.admit(relation("legal_representative", "y", "a"))
    with pytest.raises(RelationTaken):
        admitted.admit(relation("legal_representative", "x", "c", since=date(2027, 1, 1)))
    with pytest.raises(RelationTaken):
        admitted.admit(replace(first, until=date(2026, 1, 2)))


def test_a_party_is_referred_once_and_refers_many() -> None:
    admitted = admission(relation("referral", "a", "b"))

    admitted.admit(relation("referral", "a", "c"))
    with pytest.raises(RelationTaken):
        admitted.admit(relation("referral", "d", "b"))


def test_who_was_referred_by_way_of_others_cannot_have_referred_them() -> None:
    admitted = admission(relation("referral", "a", "b"), relation("referral", "b", "c"))

    with pytest.raises(RelationCycle):
        admitted.admit(relation("referral", "c", "a"))
    admitted.admit(relation("referral", "c", "d"))
    admitted.admit(relation("referral", "e", "a"))


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), max_size=40))
def test_referrals_stay_a_forest_whatever_is_asked(pairs: list[tuple[str, str]]) -> None:
    admitted, referrer = admission(), dict[str, str]()
    for number, (from_id, to_id) in enumerate(pairs):
        wanted = relation("referral", from_id, to_id, relation_id=f"r{number}")
        try:
            admitted.admit(wanted)
        except (SelfRelation, RelationTaken, RelationCycle):
            would_close = (
                from_id == to_id or to_id in referrer or to_id in _above(referrer, from_id)
            )
            assert would_close
        else:
            referrer[to_id] = from_id

    for party in referrer:
        assert party not in _above(referrer, referrer[party])


def _above(referrer: dict[str, str], party: str) -> list[str]:
    chain = [party]
    while chain[-1] in referrer and len(chain) <= len(referrer):
        chain.append(referrer[chain[-1]])
    return chain


days = st.dates(date(2026, 1, 1), date(2026, 1, 12))


@given(days, days, days, days)
def test_two_relations_overlap_if_and_only_if_both_hold_on_some_day(
    a: date, b: date, c: date, d: date
) -> None:
    one = relation("guarantor", "x", "a", since=min(a, b), until=max(a, b))
    other = relation("guarantor", "x", "b", since=min(c, d), until=max(c, d))
    january = [date(2026, 1, day) for day in range(1, 13)]

    shared = any(one.is_current(day) and other.is_current(day) for day in january)
    assert one.overlaps(other) == other.overlaps(one) == shared


def test_each_side_reads_what_the_other_one_is() -> None:
    family = relation("household", "a", "b", role="child")
    work = relation("employment", "x", "a")

    parent, child = read(family, "a", KINDS), read(family, "b", KINDS)
    employer, employee = read(work, "x", KINDS), read(work, "a", KINDS)

    assert (parent.other_id, parent.role and parent.role.key) == ("b", "child")
    assert (child.other_id, child.role and child.role.key) == ("a", "parent")
    assert (employer.other_id, employer.label.zh, employer.links) == ("a", "代发员工", True)
    assert (employee.other_id, employee.label.zh, employee.links) == ("x", "代发单位", True)
    assert (parent.links, employer.role) == (False, None)


def test_a_kind_that_the_catalogue_dropped_is_read_by_its_key() -> None:
    old = relation("godparent", "a", "b")

    assert read(old, "b", KINDS).label.en == "godparent"
    assert read(old, "b", KINDS).other_id == "a"


@given(st.sampled_from([kind for kind in KINDS.values() if kind.roles]), st.data())
def test_a_role_read_back_and_forth_is_itself_where_both_sides_have_one(
    kind: Any, data: st.DataObject
) -> None:
    role = data.draw(st.sampled_from(list(kind.roles.values())))
    if role.reverse is not None:
        assert kind.roles[role.reverse].reverse == role.key
    assert kind.symmetric == (role.reverse is not None)
