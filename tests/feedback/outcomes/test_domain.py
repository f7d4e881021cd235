from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.outcomes.domain import (
    Behaviour,
    EvidenceMissing,
    OutcomeDiffers,
    Reaction,
    check_link,
    check_repeat,
    faults,
    final_label,
    outcome_id,
    silence_of,
)
from shared.errors import NotFound
from shared.paths import CATALOGUE
from tests.feedback.kit import NOW, WORDS, proposition, reaction, report

OUTCOMES = WORDS.outcomes
reactions = st.lists(
    st.builds(reaction, st.sampled_from(sorted(OUTCOMES)), st.integers(0, 5)), max_size=7
)


def label(*given: Reaction) -> str | None:
    return final_label(given, OUTCOMES)


def test_the_vocabulary_has_the_behaviours_of_the_domain_guide() -> None:
    behaviours = {key: outcome.behaviour.value[:3] for key, outcome in OUTCOMES.items()}
    assert behaviours == {
        "delivered": "neu", "seen": "neu", "clicked": "pos", "accepted": "pos", "converted": "pos",
        "later": "neu", "already_holds": "neu", "not_relevant": "neg", "refused": "neg",
        "complaint": "neg", "ignored": "neg", "failed": "neu",
    }  # fmt: skip
    assert WORDS.silence.key == "ignored"


@pytest.mark.parametrize(
    ("section", "code"),
    [
        ("outcomes", "outcome"),
        ("refusal_reasons", "refusal_reason"),
        ("call_results", "call_result"),
    ],
)
def test_the_codes_served_to_clients_are_the_vocabulary(section: str, code: str) -> None:
    ours = yaml.safe_load((CATALOGUE / "outcomes.yaml").read_text())[section]
    codes = yaml.safe_load((CATALOGUE / "codes.yaml").read_text())
    served = next(entry["values"] for entry in codes if entry["key"] == code)

    assert [(e["key"], e["zh"], e["en"]) for e in ours] == [
        (e["key"], e["zh"], e["en"]) for e in served
    ]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], None),
        ([("delivered", 0), ("seen", 1)], None),
        ([("seen", 0), ("clicked", 1)], "clicked"),
        ([("converted", 0), ("clicked", 1)], "converted"),
        ([("clicked", 0), ("refused", 1)], "refused"),
        ([("refused", 0), ("clicked", 1)], "clicked"),
        ([("accepted", 0), ("refused", 1)], "accepted"),
        ([("converted", 0), ("complaint", 1)], "converted"),
        ([("later", 0), ("not_relevant", 1)], "not_relevant"),
        ([("refused", 0), ("already_holds", 1)], "already_holds"),
        ([("refused", 0), ("later", 0)], "refused"),
        ([("ignored", 9)], "ignored"),
        ([("ignored", 0), ("later", 1)], "later"),
        ([("ignored", 0), ("converted", 1)], "converted"),
        ([("failed", 0)], "failed"),
    ],
)
def test_a_proposition_has_one_label(given: list[tuple[str, int]], expected: str | None) -> None:
    assert label(*(reaction(outcome, minute) for outcome, minute in given)) == expected


@given(reactions, st.randoms(use_true_random=False))
def test_l3_the_label_does_not_depend_on_the_order_in_which_outcomes_arrive(
    given: list[Reaction], random: Any
) -> None:
    shuffled = list(given)
    random.shuffle(shuffled)

    assert label(*shuffled) == label(*given)


@given(reactions)
def test_l3_an_outcome_reported_twice_does_not_change_the_label(given: list[Reaction]) -> None:
    assert label(*given, *given) == label(*given)


@given(reactions, st.integers(0, 5))
def test_a_conversion_restates_every_label(given: list[Reaction], minute: int) -> None:
    assert label(*given, reaction("converted", minute)) == "converted"


@given(reactions)
def test_silence_is_a_label_only_without_any_answer(given: list[Reaction]) -> None:
    answered = any(OUTCOMES[r.outcome].answers for r in given)

    assert (label(*given, reaction("ignored", 9)) == "ignored") == (not answered)


@given(reactions)
def test_a_proposition_is_open_only_while_nothing_settles_it(given: list[Reaction]) -> None:
    settled = any(OUTCOMES[r.outcome].answers or OUTCOMES[r.outcome].is_silence for r in given)

    assert (label(*given) is not None) == settled


@pytest.mark.parametrize(
    ("other", "pointer"),
    [
        ({"outcome": "bought"}, "/outcome"),
        ({"occurred_at": NOW + timedelta(minutes=5, seconds=1)}, "/occurred_at"),
        ({"occurred_at": WORDS.earliest - timedelta(seconds=1)}, "/occurred_at"),
        ({"outcome": "later"}, "/until"),
        ({"outcome": "later", "until": NOW}, "/until"),
        ({"outcome": "later", "until": NOW + timedelta(days=1831)}, "/until"),
        ({"until": NOW + timedelta(days=1)}, "/until"),
        ({"outcome": "refused", "amount": Decimal(5)}, "/amount"),
        ({"outcome": "refused", "reason": "because"}, "/reason"),
    ],
)
def test_a_senseless_report_is_refused_at_its_field(other: dict[str, Any], pointer: str) -> None:
    assert [fault.pointer for fault in faults(report(**other), WORDS, now=NOW)] == [pointer]


@pytest.mark.parametrize(
    "other",
    [
        {"occurred_at": NOW + timedelta(minutes=5)},
        {"occurred_at": WORDS.earliest},
        {"outcome": "later", "until": NOW + timedelta(days=30), "reason": "decide_later"},
        {"outcome": "converted", "amount": Decimal("50000.00")},
        {"outcome": "failed", "reason": "no_answer"},
    ],
)
def test_a_sensible_report_has_no_fault(other: dict[str, Any]) -> None:
    assert faults(report(**other), WORDS, now=NOW) == []


def test_an_id_of_ours_is_the_same_for_the_same_report() -> None:
    same = {outcome_id("p_1", "clicked", NOW) for _ in range(3)}
    other = {
        outcome_id("p_1", "clicked", NOW + timedelta(microseconds=1)),
        outcome_id("p_1", "seen", NOW),
        outcome_id("p_2", "clicked", NOW),
        outcome_id("p_1", "clicked", None),
    }

    assert len(same) == 1
    assert len(same | other) == 5
    assert all(len(name) <= 64 for name in same | other)


def test_an_id_never_stands_for_two_outcomes() -> None:
    check_repeat(report(occurred_at=NOW), report(occurred_at=NOW - timedelta(1)), pointer="")
    with pytest.raises(OutcomeDiffers):
        check_repeat(report(outcome="refused"), report(), pointer="/outcomes/3")


def test_a_token_bound_to_a_customer_does_not_learn_of_propositions_to_others() -> None:
    check_link(report(customer="c_1"), proposition(customer_id="c_1"), WORDS)
    with pytest.raises(NotFound):
        check_link(report(customer="c_2"), proposition(customer_id="c_1"), WORDS)


@pytest.mark.parametrize("missing", ["assessment_id", "recording_reference"])
def test_b6_a_branch_sale_under_suitability_counts_only_with_its_evidence(missing: str) -> None:
    evidence = {"assessment_id": "a1", "recording_reference": "r1"}
    branch = proposition(channel="branch", category="fund")
    sale = report(outcome="converted", context=evidence)
    check_link(sale, branch, WORDS)
    bare = report(outcome="converted", context={**evidence, missing: None})
    with pytest.raises(EvidenceMissing):
        check_link(bare, branch, WORDS)
    check_link(bare, proposition(channel="app", category="fund"), WORDS)
    check_link(bare, proposition(channel="branch", category="term_deposit"), WORDS)


def test_silence_is_dated_to_the_end_of_the_window_and_recorded_once() -> None:
    first, second = (
        silence_of(proposition(), WORDS, now=NOW + timedelta(days=day)) for day in (7, 9)
    )

    assert first.occurred_at == NOW + timedelta(days=7)
    assert first.outcome_id == second.outcome_id
    assert OUTCOMES[first.outcome].behaviour is Behaviour.NEGATIVE


def test_every_order_of_a_refusal_and_a_click_at_one_moment_is_a_refusal() -> None:
    given = [reaction("clicked"), reaction("refused"), reaction("seen")]

    assert {label(*order) for order in permutations(given)} == {"refused"}
