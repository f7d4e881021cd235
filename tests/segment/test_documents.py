"""The examples of docs/RULES.md are true of the shipped catalogue."""

import re

import pytest
import yaml

from shared.paths import ROOT
from shared.rules import compile_single, parse
from tests.segment.scoring.test_domain import SCHEME

TEXT = (ROOT / "docs" / "RULES.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([^`]+)` \| (?:`([^`]+)` )?\| (true|false|unknown) \|$", re.MULTILINE)
TRUTH = {"true": True, "false": False, "unknown": None}


def test_the_first_example_is_a_rule() -> None:
    [block] = re.findall(r"```\n(.+?)\n```", TEXT)

    assert parse(block, SCHEME.catalogue).canonical == block


@pytest.mark.parametrize(("rule", "attributes", "answer"), ROW.findall(TEXT))
def test_l2_the_documents_examples_hold(rule: str, attributes: str, answer: str) -> None:
    values = yaml.safe_load(f"{{{attributes}}}")

    assert compile_single({"rule": parse(rule, SCHEME.catalogue)})(values)["rule"] is TRUTH[answer]
