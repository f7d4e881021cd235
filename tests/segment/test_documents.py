"""The examples of docs/RULES.md and docs/SCORES.md are true of the shipped catalogue."""

import re

import pytest
import yaml

from shared.paths import ROOT
from shared.rules import compile_single, parse
from tests.segment.scoring.test_domain import EVALUATOR, SCHEME, customer

TEXT = (ROOT / "docs" / "RULES.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| (?:`([^`]+)` )?\| (true|false|unknown) \|$", re.MULTILINE)
SCORES = (ROOT / "docs" / "SCORES.md").read_text(encoding="utf-8")
SCORE_ROW = re.compile(r"^\| `(\w+)` \| `([^`]+)` \| (\d+|none) \|$", re.MULTILINE)
TRUTH = {"true": True, "false": False, "unknown": None}


def test_the_first_example_is_a_rule() -> None:
    [block] = re.findall(r"```\n(.+?)\n```", TEXT)

    assert parse(block, SCHEME.catalogue).canonical == block


@pytest.mark.parametrize(("rule", "attributes", "answer"), ROW.findall(TEXT))
def test_l2_the_documents_examples_hold(rule: str, attributes: str, answer: str) -> None:
    values = yaml.safe_load(f"{{{attributes}}}")

    assert compile_single({"rule": parse(rule, SCHEME.catalogue)})(values)["rule"] is TRUTH[answer]


@pytest.mark.parametrize(("score", "attributes", "points"), SCORE_ROW.findall(SCORES))
def test_a12_the_worked_scores_hold(score: str, attributes: str, points: str) -> None:
    given = {"party_type": "person"} | yaml.safe_load(f"{{{attributes}}}")

    found = EVALUATOR.evaluate(customer(given)).levels[score]
    assert found == (None if points == "none" else int(points))


def test_there_are_worked_examples() -> None:
    assert len(SCORE_ROW.findall(SCORES)) == 8
