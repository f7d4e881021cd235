"""The words outcomes are reported in: catalogue data, read once."""

from datetime import timedelta
from functools import cache
from typing import Any

import yaml

from services.feedback.outcomes.domain import Behaviour, Evidence, Outcome, Vocabulary
from shared.paths import CATALOGUE


@cache
def vocabulary() -> Vocabulary:
    """The shipped vocabulary (`catalogue/outcomes.yaml`)."""
    entries: dict[str, Any] = yaml.safe_load((CATALOGUE / "outcomes.yaml").read_text())
    bounds = entries["bounds"]
    return Vocabulary(
        outcomes={entry["key"]: _outcome(entry) for entry in entries["outcomes"]},
        reasons=frozenset(
            entry["key"] for name in ("refusal_reasons", "call_results") for entry in entries[name]
        ),
        evidence=tuple(
            Evidence(**{name: frozenset(values) for name, values in entry.items()})
            for entry in entries["evidence"]
        ),
        earliest=bounds["earliest"],
        ahead=timedelta(minutes=bounds["ahead_minutes"]),
        postponed=timedelta(days=bounds["postponed_days"]),
    )


def _outcome(entry: dict[str, Any]) -> Outcome:
    return Outcome(
        key=entry["key"],
        behaviour=Behaviour(entry["behaviour"]),
        progress=entry.get("progress", 0),
        answers=entry.get("answers", False),
        is_overridable=entry.get("overridable", False),
        is_silence=entry.get("silence", False),
        needs=frozenset(entry.get("needs", ())),
        takes=frozenset(entry.get("takes", ())) | frozenset(entry.get("needs", ())),
    )
