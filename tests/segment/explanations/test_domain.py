"""An explanation tells what the evaluation gave, of random customers too."""

import math
from typing import Any

from hypothesis import given, settings

from services.segment.explanations.domain import Explainer
from services.segment.plans import repository as plans
from services.segment.scores.domain.points import DIGITS, HALF_UP
from tests.segment.scoring.test_domain import EVALUATOR, FEATURES, customer

EXPLAINER = Explainer(EVALUATOR, plans.get())


@settings(max_examples=40, deadline=None)
@given(FEATURES)
def test_points_add_up_to_the_score_and_the_rule_that_won_gives_the_level(
    features: dict[str, Any],
) -> None:
    known = customer(features)
    levels = EVALUATOR.evaluate(known).levels
    found = EXPLAINER.explain(known)

    for score in found.scores:
        assert score.value == levels[score.score.key]
        if score.value is not None:
            told = sum(round(part.share.points, DIGITS) for part in score.parts)
            assert math.isclose(told, score.points or 0.0, abs_tol=1e-5)
            assert math.floor(sum(p.share.points for p in score.parts) + HALF_UP) == score.value
    for percentile in found.percentiles:
        assert percentile.value == levels[percentile.percentile.key]
    for scale in found.scales:
        assert scale.level == levels[scale.scale.stateless_key]
        assert not any(rule.holds for rule in scale.before)
    assert found.value_type == levels["value_type"]
