"""Kinds of tags: the shipped ones say what they mean, a bad one is refused where it is bad."""

from dataclasses import replace

import pytest

from services.profile.attributes.domain import words_of
from services.profile.rulebooks.domain import NeedsSeparateConsent, compiled
from services.profile.tag_kinds.domain import TagKindUnreadable, check, rule_tags
from services.profile.vocabulary import TagKind, Word, attributes, grounds, tag_kinds

WORDS = words_of(attributes().values(), ())
GROUNDS = [each.key for each in grounds()]
REGULAR, HABIT = tag_kinds()["branch_regular"], tag_kinds()["contact_habit"]


def refused(kind: TagKind) -> set[str]:
    with pytest.raises(TagKindUnreadable) as raised:
        check(kind, WORDS, tag_kinds(), grounds=GROUNDS)
    return {each.pointer for each in raised.value.errors}


def test_every_shipped_tag_passes_the_check_of_the_banks_own() -> None:
    for kind in tag_kinds().values():
        check(kind, WORDS, tag_kinds(), grounds=GROUNDS)
    assert compiled(rule_tags(tag_kinds().values()), WORDS.catalogue).kinds.keys() == {
        key for key, kind in tag_kinds().items() if kind.source == "rule"
    }


def test_a_shipped_rule_holds_up_to_its_bound() -> None:
    rules = compiled(rule_tags(tag_kinds().values()), WORDS.catalogue)

    assert rules.holding({"branch_visits_365d": 12}) == {"branch_regular"}
    assert rules.holding({"branch_visits_365d": 11}) == frozenset()
    assert rules.holding({"is_business_owner": True, "fx_volume_365d": 1.0}) == {
        "entrepreneur", "overseas_ties",
    }  # fmt: skip


def test_a_kind_that_contradicts_itself_is_refused_at_each_place() -> None:
    value = Word(key="a", zh="甲", en="A")
    wrong = replace(REGULAR, valid_days=3, values=(value,), ground="none", rule="no_such > 1")

    assert refused(wrong) == {"/valid_days", "/values", "/ground", "/rule"}
    assert refused(replace(REGULAR, rule=None)) == {"/rule"}
    assert refused(replace(HABIT, rule="age > 1")) == {"/rule"}
    assert refused(replace(HABIT, values=(value, value))) == {"/values"}
    assert refused(replace(HABIT, source="model")) == {"/source"}


def test_p5_what_is_sensitive_needs_the_separate_consent_said_or_read() -> None:
    for kind in (replace(HABIT, sensitive=True), replace(REGULAR, rule="minor_children > 0")):
        with pytest.raises(NeedsSeparateConsent):
            check(kind, WORDS, tag_kinds(), grounds=GROUNDS)
        check(replace(kind, separate_consent=True), WORDS, tag_kinds(), grounds=GROUNDS)
