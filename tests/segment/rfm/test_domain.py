"""RFM: every combination of high and low has its segment, every cut its score."""

from itertools import product
from typing import Any

import pytest
import yaml

from services.segment.rfm.domain import Rfm, check_rfm, ladders_of, rfm_of
from shared.errors import Invalid
from shared.paths import CATALOGUE
from shared.rules import Attribute, AttributeType, Catalogue, compile_levels

DOCUMENT: dict[str, Any] = yaml.safe_load((CATALOGUE / "rfm.yaml").read_text(encoding="utf-8"))
NUMBERS = (
    "tenure_days",
    "days_since_active",
    "active_days_365d",
    "aum_avg_month",
    "rfm_r",
    "rfm_f",
    "rfm_m",
)
CATALOG = Catalogue(Attribute(name, AttributeType.DECIMAL) for name in NUMBERS)
LADDERS = ladders_of(rfm_of(DOCUMENT), CATALOG)
SCORES = compile_levels({name: LADDERS[f"rfm_{name}"] for name in ("r", "f", "m")})
SEGMENTS = compile_levels({name: LADDERS[name] for name in ("rfm_segment", "value_activity")})


def scores(**values: float | None) -> dict[str, str | None]:
    return SCORES({"tenure_days": 500, **values})


@pytest.mark.parametrize(
    ("days", "score"),
    [(0, "5"), (7, "5"), (8, "4"), (30, "4"), (31, "3"), (90, "3"), (91, "2"), (180, "2"),
     (181, "1"), (None, "1")],
)  # fmt: skip
def test_recency_scores_at_its_cuts(days: float | None, score: str) -> None:
    assert scores(days_since_active=days)["r"] == score


@pytest.mark.parametrize(
    ("days", "score"),
    [(96, "5"), (95, "4"), (36, "4"), (35, "3"), (12, "3"), (11, "2"), (3, "2"), (2, "1"),
     (None, "1")],
)  # fmt: skip
def test_frequency_scores_at_its_cuts(days: float | None, score: str) -> None:
    assert scores(active_days_365d=days)["f"] == score


@pytest.mark.parametrize(
    ("aum", "score"),
    [(1_000_000, "5"), (999_999.99, "4"), (200_000, "4"), (199_999.99, "3"), (50_000, "3"),
     (49_999.99, "2"), (5_000, "2"), (4_999.99, "1"), (None, "1")],
)  # fmt: skip
def test_money_scores_at_its_cuts(aum: float | None, score: str) -> None:
    assert scores(aum_avg_month=aum)["m"] == score


def test_prospects_have_no_score() -> None:
    assert set(SCORES({"days_since_active": 1}).values()) == {None}


EIGHT = {
    "HHH": "key_value",
    "HLH": "key_maintain",
    "HHL": "key_develop",
    "LHH": "key_winback",
    "LLH": "key_return",
    "HLL": "general_value",
    "LHL": "general_maintain",
    "LLL": "lost",
}
HIGH = {"r": 4, "f": 3, "m": 3}


@pytest.mark.parametrize(("r", "f", "m"), list(product(range(1, 6), repeat=3)))
def test_every_combination_of_scores_has_exactly_its_segment(r: int, f: int, m: int) -> None:
    sides = "".join(
        "H" if score >= HIGH[name] else "L" for name, score in zip("rfm", (r, f, m), strict=True)
    )
    found = SEGMENTS({"tenure_days": 500, "rfm_r": r, "rfm_f": f, "rfm_m": m})
    value = "hv" if sides[2] == "H" else "lv"
    activity = "ha" if sides[:2] == "HH" else "la"

    assert found == {"rfm_segment": EIGHT[sides], "value_activity": f"{value}_{activity}"}


def changed(**changes: Any) -> Rfm:
    return rfm_of({**DOCUMENT, **changes})


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (changed(segments=DOCUMENT["segments"][:7]), "/segments"),
        (changed(segments=[*DOCUMENT["segments"], DOCUMENT["segments"][0]]), "/segments"),
        (changed(value_activity=DOCUMENT["value_activity"][:3]), "/value_activity"),
        (changed(where="unheard = 1"), "/where"),
        (changed(where="rfm_r = 1"), "/where"),
    ],
)
def test_a_definition_with_a_hole_is_refused(wrong: Rfm, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_rfm(wrong, CATALOG, frozenset({"rfm_r"}))

    assert refused.value.errors[0].pointer == pointer


def test_cuts_go_from_the_best_to_the_worst() -> None:
    fixed = {**DOCUMENT["fixed"], "r": {**DOCUMENT["fixed"]["r"], "cuts": [7, 30, 20, 180]}}
    with pytest.raises(Invalid) as refused:
        check_rfm(changed(fixed=fixed), CATALOG, frozenset())

    assert refused.value.errors[0].pointer == "/fixed/r"
