"""The answer and the announcement of a decision, as plain values."""

from collections.abc import Sequence
from datetime import datetime

from services.strategy.catalogue.domain.actions import Action
from services.strategy.decisions.domain.decide import Decision, Proposition


def proposition_id(decision_id: str, rank: int) -> str:
    """Name a proposition; the decision's id is in it, so that nothing needs to be stored."""
    return f"{decision_id}_{rank}"


def answer_of(
    decision: Decision,
    *,
    decision_id: str,
    customer_id: str,
    degraded_by: Sequence[str],
    as_of: dict[str, object],
    placements: Sequence[str],
) -> dict[str, object]:
    """Compose the answer; see `schemas.DecisionRead`."""
    return {
        "decision_id": decision_id,
        "customer_id": customer_id,
        "mode": decision.mode,
        "degraded": bool(degraded_by),
        "degraded_by": list(degraded_by),
        "cause": decision.cause,
        "as_of": as_of,
        "propositions": [
            {
                "id": proposition_id(decision_id, proposition.rank),
                **_named(proposition),
                "rank": proposition.rank,
                "placement": _placement(placements, proposition.rank),
                "content": _content(proposition.action),
                "reasons": [{"code": c, "value": v} for c, v in proposition.reasons],
                "expires_at": proposition.expires_at,
                "requires_assessment": proposition.requires_assessment,
            }
            for proposition in decision.propositions
        ],
    }


def announcement_of(
    decision: Decision,
    *,
    decision_id: str,
    customer_id: str,
    channel: str,
    direction: str,
    at: datetime,
    is_degraded: bool,
) -> dict[str, object]:
    """Compose the data of `strategy.decision_made.v1`."""
    return {
        "decision_id": decision_id,
        "customer_id": customer_id,
        "channel": channel,
        "direction": direction,
        "at": at,
        "degraded": is_degraded,
        "propositions": [
            {
                "proposition_id": proposition_id(decision_id, proposition.rank),
                **_named(proposition),
                "rank": proposition.rank,
                "probability": proposition.probability,
                "goal": proposition.action.strategy.goal_outcome,
                "window_days": proposition.action.strategy.window_days,
            }
            for proposition in decision.propositions
        ],
    }


def _named(proposition: Proposition) -> dict[str, object]:
    action = proposition.action
    return {
        "action": action.id,
        "treatment": proposition.treatment,
        "strategy": action.strategy.key,
        "product": action.product.key if action.product else None,
        "category": action.category,
    }


def _placement(placements: Sequence[str], rank: int) -> str | None:
    return placements[rank - 1] if rank <= len(placements) else None


def _content(action: Action) -> dict[str, dict[str, str]]:
    """Return title, text and notice: the product's words, or the strategy's where there is none."""
    strategy = action.strategy
    if action.product is None:
        words = {"zh": strategy.script_zh, "en": strategy.script_en}
        return {"title": words, "text": words, "notice": {"zh": "", "en": ""}}
    product = action.product.words
    return {
        "title": {"zh": product.title_zh, "en": product.title_en},
        "text": {
            "zh": product.headline_zh or strategy.script_zh,
            "en": product.headline_en or strategy.script_en,
        },
        "notice": {"zh": product.notice_zh, "en": product.notice_en},
    }


def chosen_of(decision: Decision, decision_id: str) -> list[dict[str, object]]:
    """Return what the log keeps of the propositions."""
    return [
        {
            "id": proposition_id(decision_id, proposition.rank),
            "treatment": proposition.treatment,
            "rank": proposition.rank,
            "probability": proposition.probability,
        }
        for proposition in decision.propositions
    ]
