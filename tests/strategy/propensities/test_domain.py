from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.strategy.propensities.domain import (
    Evidence,
    Label,
    Lesson,
    PropensityRules,
    Reaction,
    fading,
    final_label,
    learnt,
    propensities,
)

DAY = date(2026, 3, 4)
AT = datetime(2026, 3, 4, tzinfo=UTC)
RULES = PropensityRules()
BEHAVIOUR = {
    "clicked": "positive",
    "accepted": "positive",
    "converted": "positive",
    "refused": "negative",
    "ignored": "negative",
    "later": "neutral",
    "seen": "neutral",
}


def reactions(*outcomes: str) -> list[Reaction]:
    """Outcomes an hour apart."""
    return [
        Reaction(outcome=o, behaviour=BEHAVIOUR[o], occurred_at=AT + timedelta(hours=i))
        for i, o in enumerate(outcomes)
    ]


def label(*outcomes: str, goal: str = "converted") -> Label | None:
    return final_label(reactions(*outcomes), goal=goal)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), None),
        (("seen",), None),
        (("seen", "clicked"), None),
        (("clicked", "accepted"), None),
        (("clicked", "converted"), Label.POSITIVE),
        (("clicked", "refused"), Label.NEGATIVE),
        (("refused", "clicked"), None),
        (("accepted", "refused"), None),
        (("converted", "refused"), Label.POSITIVE),
        (("refused", "later"), None),
        (("later", "refused"), Label.NEGATIVE),
        (("ignored",), Label.NEGATIVE),
        (("ignored", "later"), None),
        (("ignored", "converted"), Label.POSITIVE),
    ],
)
def test_a_proposition_has_one_final_label_the_furthest_positive(
    outcomes: tuple[str, ...], expected: Label | None
) -> None:
    assert label(*outcomes) is expected
    assert final_label(reactions(*outcomes)[::-1], goal="converted") is expected


def test_the_strategys_own_goal_decides_what_success_is() -> None:
    assert label("accepted", goal="accepted") is Label.POSITIVE
    assert label("ignored", "accepted", goal="accepted") is Label.POSITIVE
    assert label("accepted", "refused", goal="accepted") is Label.POSITIVE
    assert label("clicked", "refused", goal="clicked") is Label.NEGATIVE


def evidence(treatment="s-p/app/in", positives=0.0, negatives=0.0, **overrides):
    usual: dict[str, Any] = {
        "category": "fund",
        "goal_metric": "aum",
        "channel": "app",
        "faded_to": DAY,
    }
    return Evidence(
        treatment=treatment, positives=positives, negatives=negatives, **{**usual, **overrides}
    )


def rate(known, treatment="s-p/app/in", category="fund", goal_metric="aum", channel="app"):
    return known.of(treatment, category=category, goal_metric=goal_metric, channel=channel)


def known(*items, day=DAY, rules=RULES):
    return propensities(items, version=1, day=day, rules=rules)


def test_before_any_evidence_everything_stands_at_the_base_rate() -> None:
    assert rate(known()) == (RULES.base_rate, RULES.prior_weight)


def test_a_conversion_raises_and_a_refusal_lowers() -> None:
    base, _ = rate(known())

    assert rate(known(evidence(positives=1)))[0] > base > rate(known(evidence(negatives=1)))[0]


def test_a_new_action_is_not_the_worst_for_lack_of_data() -> None:
    poor = evidence("s-poor/app/in", positives=5, negatives=995)
    good = evidence("s-good/app/in", positives=200, negatives=800)

    fresh, weight = rate(known(poor, good), "s-new/app/in")

    assert rate(known(poor, good), "s-poor/app/in")[0] < fresh
    assert weight == RULES.prior_weight


def test_a_cold_start_asks_the_group_then_the_issue_then_the_channel() -> None:
    seen = known(evidence("x/app/in", positives=300, negatives=700))

    same_group = rate(seen, "new", "fund")[0]
    same_issue = rate(seen, "new", "insurance")[0]
    same_channel = rate(seen, "new", "insurance", "nps")[0]
    nothing = rate(seen, "new", "insurance", "nps", "sms")[0]

    assert same_group > same_issue > same_channel > nothing == RULES.base_rate


def test_evidence_fades_with_its_half_life() -> None:
    assert fading(RULES.half_life_days, RULES) == 0.5
    later = known(evidence(positives=8, negatives=8), day=DAY + timedelta(days=180))
    assert rate(later)[1] == pytest.approx(8 + RULES.prior_weight)


def lesson(day=DAY, label=Label.POSITIVE, weight=1):
    return Lesson(
        treatment="s-p/app/in",
        category="fund",
        goal_metric="aum",
        channel="app",
        label=label,
        day=day,
        weight=weight,
    )


lessons = st.lists(
    st.builds(
        lesson,
        st.dates(date(2025, 1, 1), date(2026, 12, 31)),
        st.sampled_from(list(Label)),
    ),
    min_size=1,
    max_size=8,
)


def taught(items):
    counts = None
    for item in items:
        counts = learnt(counts, item, RULES)
    assert counts is not None
    return counts


@given(lessons, st.randoms(use_true_random=False))
def test_late_outcomes_count_and_their_order_does_not_matter(items, dice) -> None:
    shuffled = list(items)
    dice.shuffle(shuffled)

    once, again = taught(items), taught(shuffled)

    assert once.faded_to == again.faded_to
    assert once.positives == pytest.approx(again.positives)
    assert once.negatives == pytest.approx(again.negatives)


@given(lessons, st.dates(date(2025, 1, 1), date(2026, 12, 31)))
def test_a_lesson_taken_back_leaves_no_trace(items, day) -> None:
    before = taught(items)

    undone = taught([*items, lesson(day), lesson(day, weight=-1)])

    left = fading((undone.faded_to - before.faded_to).days, RULES)
    assert undone.positives == pytest.approx(before.positives * left, abs=1e-9)
    assert undone.negatives == pytest.approx(before.negatives * left, abs=1e-9)
    assert replace(undone, positives=0.0, negatives=0.0).treatment == before.treatment
