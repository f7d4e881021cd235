"""Ownership rules: the shipped ones hold together, the first that holds counts."""

from dataclasses import replace

import pytest

from services.profile.attributes.domain import words_of
from services.profile.ownership_rules import domain
from services.profile.ownership_rules.domain import (
    OwnershipRuleNeedsSeparateConsent,
    OwnershipRulesUnreadable,
    compiled,
)
from services.profile.vocabulary import attributes, ownership

WORDS = words_of(attributes().values(), ())
SHIPPED = ownership().rules


def test_the_shipped_rules_are_readable_and_the_first_that_holds_counts() -> None:
    domain.check(SHIPPED, words=WORDS, kinds=ownership().kinds)
    rules = compiled(SHIPPED, WORDS.catalogue)

    assert rules.reads == {"tier", "corporate_tier"}
    assert rules.first({"tier": "wealth"}) == "wealth"
    assert rules.first({"tier": "private", "corporate_tier": "base"}) == "base_companies"
    assert rules.first({"tier": "long_tail"}) is None
    assert rules.first({}) is None


def test_a_rule_that_names_what_there_is_not_is_told_its_place_and_what_was_meant() -> None:
    rules = (
        SHIPPED[0],
        replace(SHIPPED[1], rule="corporate_teir = 'base'", serves="friend"),
        replace(SHIPPED[2], key=SHIPPED[0].key),
    )

    with pytest.raises(OwnershipRulesUnreadable) as refused:
        domain.check(rules, words=WORDS, kinds=ownership().kinds)

    errors = {each.pointer: each.detail for each in refused.value.errors}
    assert set(errors) == {"/rules/1/serves", "/rules/1/rule", "/rules/2/key"}
    assert "corporate_tier" in errors["/rules/1/rule"]


def test_p5_a_sensitive_attribute_is_used_only_with_the_separate_consent_flag() -> None:
    rule = replace(SHIPPED[0], rule="salary_month > 20000")

    with pytest.raises(OwnershipRuleNeedsSeparateConsent, match="salary_month"):
        domain.check([rule], words=WORDS, kinds=ownership().kinds)
    flagged = replace(rule, separate_consent=True)
    domain.check([flagged], words=WORDS, kinds=ownership().kinds)
