"""Feedback counts and strategy learns by one reading of a proposition's final outcome."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.feedback.outcomes import domain as feedback
from services.feedback.vocabulary import vocabulary
from services.strategy.propensities import domain as strategy
from tests.contract.suite import NOW

OUTCOMES = vocabulary().outcomes
reports = st.lists(st.tuples(st.sampled_from(sorted(OUTCOMES)), st.integers(0, 5)), max_size=7)


@given(reports)
def test_both_read_the_same_final_label_from_the_same_reports(given: list[tuple[str, int]]) -> None:
    counted = feedback.final_label(
        [feedback.Reaction(outcome=o, occurred_at=NOW + timedelta(hours=h)) for o, h in given],
        OUTCOMES,
    )
    learnt = strategy.final_reaction(
        [
            strategy.Reaction(
                outcome=o, behaviour=OUTCOMES[o].behaviour, occurred_at=NOW + timedelta(hours=h)
            )
            for o, h in given
        ]
    )

    assert (learnt.outcome if learnt else None) == counted
