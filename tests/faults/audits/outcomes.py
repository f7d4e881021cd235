"""Every acknowledged decision and outcome is there once, and each outcome took effect once."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from tests.faults.books import Books, Json, money
from tests.faults.comparison import differences, lost_doubled_or_strange
from tests.faults.expected import (
    NOTHING,
    PRIOR_WEIGHT,
    evidence_of,
    performance_of,
    silences_of,
)
from tests.faults.ledger import Fate, Ledger, Outcome

WORDS = ("clicked", "refused", "converted")
DECIDED, RECORDED = "strategy.decision_made.v1", "feedback.outcome_recorded.v1"


def audit_decisions(ledger: Ledger, books: Books) -> list[str]:
    """Compare the log and the feed of decisions with the ledger; feedback has heard of all."""
    made = list(books.feed("strategy").of_type(DECIDED))
    known = [decision.decision_id for decision in ledger.decisions if decision.decision_id]
    wrong = lost_doubled_or_strange(
        "decision",
        acknowledged=known,
        unknown={data["decision_id"] for data in made},
        found=[data["decision_id"] for data in made],
    )
    for decision_id in known:
        books.read(f"/v1/decisions/{decision_id}")
    proposed = sum(len(data["propositions"]) for data in made)
    counted = books.performance()["total"]["propositions"]
    if counted != proposed:
        wrong.append(f"feedback counts {counted} propositions, strategy made {proposed}")
    return wrong


def audit_outcomes(ledger: Ledger, books: Books) -> list[str]:
    """Compare what feedback keeps and publishes with the ledger."""
    published = [data["outcome_id"] for data in books.feed("feedback").of_type(RECORDED)]
    acknowledged, unknown = _ids(ledger, Fate.ACKNOWLEDGED), _ids(ledger, Fate.UNKNOWN)
    return [
        problem
        for where, found in (("feedback", _told(ledger, books)), ("its feed", published))
        for problem in lost_doubled_or_strange(
            f"{where}: outcome", acknowledged=acknowledged, unknown=unknown, found=found
        )
    ]


def audit_performance(outcomes: Iterable[Outcome], books: Books) -> list[str]:
    """Compare feedback's sums with those of the outcomes that took effect."""
    found: dict[str, Decimal] = {}
    for group in books.performance()["items"]:
        found |= {f"{group['key']} {word}": money(group[word]) for word in WORDS}
        found[f"{group['key']} amount"] = money(group["converted_amount"]["amount"])
    return differences("performance", performance_of(outcomes), found, NOTHING)


def effective(ledger: Ledger, books: Books) -> list[Outcome]:
    """Return the outcomes that took effect: those that feedback lists."""
    kept = set(_told(ledger, books))
    return [outcome for outcome in ledger.outcomes if outcome.outcome_id in kept]


def audit_timelines_of_outcomes(outcomes: Iterable[Outcome], books: Books) -> list[str]:
    """Compare profile's timelines with what feedback keeps."""
    told: dict[str, list[str]] = defaultdict(list)
    for outcome in outcomes:
        told[outcome.proposition.customer_id].append(outcome.outcome_id)
    return [
        problem
        for customer, ids in told.items()
        for problem in lost_doubled_or_strange(
            f"{customer}'s timeline: outcome",
            acknowledged=ids,
            unknown=(),
            found=[entry["id"] for entry in books.timeline(customer, "outcome")],
        )
    ]


def audit_effects(outcomes: Sequence[Outcome], books: Books) -> list[str]:
    """Compare what is suppressed and what was learnt with the outcomes that took effect."""
    evidence, categories = evidence_of(outcomes), books.categories()
    wrong: list[str] = []
    for customer in {o.proposition.customer_id for o in outcomes if o.outcome != "clicked"}:
        own = [o for o in outcomes if o.proposition.customer_id == customer]
        silences = silences_of(own)
        for candidate in books.explained(customer):
            treatment = candidate["treatment"]
            wrong += _silence(customer, candidate, silences, categories)
            if candidate["evidence"] != evidence.get(treatment, PRIOR_WEIGHT):
                wrong.append(
                    f"{treatment} was learnt from {candidate['evidence']} observations, "
                    f"not {evidence.get(treatment, PRIOR_WEIGHT)}"
                )
    return wrong


def _silence(
    customer: str, candidate: Json, silences: set[str], categories: dict[str, str]
) -> Iterable[str]:
    """Say whether a candidate is suppressed where it should not be, or the other way round."""
    product, action = candidate["product"], candidate["action"]
    names = {product, categories[product]} if product else {action}
    is_closed = bool(names & silences)
    if is_closed and candidate["rank"] is not None:
        yield f"{customer} is offered {action}, which is suppressed by {names & silences}"
    if not is_closed and candidate["code"] == "suppressed":
        yield f"{customer} is not offered {action}, which nothing suppresses"


def _told(ledger: Ledger, books: Books) -> list[str]:
    """Return the ids of outcomes that feedback lists, as often as it does."""
    customers = sorted({outcome.proposition.customer_id for outcome in ledger.outcomes})
    return [item["outcome_id"] for customer in customers for item in books.outcomes(customer)]


def _ids(ledger: Ledger, fate: Fate) -> list[str]:
    return [outcome.outcome_id for outcome in ledger.outcomes if outcome.fate is fate]
