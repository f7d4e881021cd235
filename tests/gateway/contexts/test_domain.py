"""Conditions, and the card's one promise: with a reason not to sell nothing that sells is open."""

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.contexts.domain import (
    Condition,
    NotToSell,
    Rules,
    Word,
    mood_of,
    reasons_of,
    rules_of,
    talks_of,
)
from shared.paths import CATALOGUE

SHIPPED: Rules = rules_of(yaml.safe_load((CATALOGUE / "context.yaml").read_text()), {})
FACTS = st.dictionaries(
    st.sampled_from(
        sorted({c.fact for topic in SHIPPED.topics for c in topic.when} | {"open_complaints"})
    ),
    st.none() | st.booleans() | st.integers(0, 100),
)
CODES = st.lists(st.sampled_from(["frozen", "deceased", "complaint_open", "suppressed"]))


@given(FACTS, CODES)
def test_b12_with_a_reason_nothing_that_sells_is_open(facts: Any, codes: list[str]) -> None:
    reasons = [NotToSell(word=Word(code, code, code)) for code in codes]

    talks = talks_of(SHIPPED.topics, facts, reasons)

    assert all(talk.shut_by for talk in talks if talk.topic.sells and reasons)
    assert any(not talk.topic.sells and not talk.shut_by for talk in talks)


@given(FACTS)
def test_somebody_always_feels_somehow_and_silence_never_sells(facts: Any) -> None:
    assert mood_of(SHIPPED.moods, facts).key
    assert reasons_of(SHIPPED, facts, None, channel="rm")
    restraints = {"everywhere": [], "channels": {"rm": None}}
    assert reasons_of(SHIPPED, {}, restraints, channel="rm")


def test_what_is_not_known_holds_for_no_condition() -> None:
    for condition in (
        Condition(fact="x", at_most=1),
        Condition(fact="x", values=(None,)),
        Condition(fact="x"),
    ):
        assert not condition.holds({})
        assert not condition.holds({"x": None})
    assert Condition(fact="x", at_least=1, at_most=1).holds({"x": 1})
    assert not Condition(fact="x", values=("a", "b")).holds({"x": "c"})
