"""What must come of the ledger, in plain Python: features, silences, lessons, sums."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from tests.faults.ledger import Event, Outcome

NOTHING = Decimal(0)
INFLOWS = {"transfer_in", "salary"}
OUTFLOWS = {"transfer_out", "payment"}
TRANSACTIONS = OUTFLOWS | {"card_spend"}
ACTIVITIES = TRANSACTIONS | {"login", "branch_visit"}
COUNTED_FEATURES = {
    "logins_30d": ({"login"}, 30),
    "logins_90d": ({"login"}, 90),
    "transactions_90d": (TRANSACTIONS, 90),
    "branch_visits_365d": ({"branch_visit"}, 365),
    "product_views_7d": ({"product_view"}, 7),
}
SUMMED_FEATURES = {
    "inflow_30d": (INFLOWS, 30),
    "inflow_90d": (INFLOWS, 90),
    "outflow_30d": (OUTFLOWS, 30),
    "outflow_90d": (OUTFLOWS, 90),
    "card_spend_30d": ({"card_spend"}, 30),
    "card_spend_90d": ({"card_spend"}, 90),
    "transaction_amount_90d": (TRANSACTIONS, 90),
}
ACTIVE_DAYS_FEATURES = {"active_days_30d": 30, "active_days_90d": 90}
FEATURES = (*COUNTED_FEATURES, *SUMMED_FEATURES, *ACTIVE_DAYS_FEATURES)

REFUSALS_THAT_CLOSE_A_CATEGORY = 2
PRIOR_WEIGHT = 20.0
TEACHES = {"refused", "converted"}


def features_of(events: Sequence[Event], today: date) -> dict[str, Decimal]:
    """Return the features of one customer, by windows of days that end today."""
    found = {
        name: Decimal(len(_within(events, kinds, today, days)))
        for name, (kinds, days) in COUNTED_FEATURES.items()
    }
    for name, (kinds, days) in SUMMED_FEATURES.items():
        amounts = (event.amount or NOTHING for event in _within(events, kinds, today, days))
        found[name] = sum(amounts, NOTHING)
    for name, days in ACTIVE_DAYS_FEATURES.items():
        active = _within(events, ACTIVITIES, today, days)
        found[name] = Decimal(len({event.occurred_at.date() for event in active}))
    return found


def _within(events: Sequence[Event], kinds: set[str], today: date, days: int) -> list[Event]:
    since = today - timedelta(days=days)
    return [e for e in events if e.type in kinds and since < e.occurred_at.date() <= today]


def silences_of(outcomes: Iterable[Outcome]) -> set[str]:
    """Return what one customer's answers close by the cool-offs of the shipped contact policy.

    Products and categories by their keys; of care, which is neither, the action.
    """
    closed: set[str] = set()
    refusals: Counter[str] = Counter()
    for outcome in outcomes:
        proposition = outcome.proposition
        category = proposition.category or proposition.action
        if outcome.outcome == "refused":
            closed.add(proposition.product or proposition.action)
            refusals[category] += 1
        if outcome.outcome == "converted":
            closed.add(category)
    return closed | {c for c, count in refusals.items() if count >= REFUSALS_THAT_CLOSE_A_CATEGORY}


def evidence_of(outcomes: Iterable[Outcome]) -> dict[str, float]:
    """Return the observations behind each treatment: one a proposition that was settled."""
    settled = {
        outcome.proposition.proposition_id: outcome.proposition.treatment
        for outcome in outcomes
        if outcome.outcome in TEACHES
    }
    counts = Counter(settled.values())
    return {treatment: PRIOR_WEIGHT + count for treatment, count in counts.items()}


def performance_of(outcomes: Iterable[Outcome]) -> dict[str, Decimal]:
    """Return `action word` → propositions that had the word, and `action amount` → their sum."""
    had: dict[str, set[str]] = defaultdict(set)
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for outcome in outcomes:
        proposition = outcome.proposition
        had[f"{proposition.action} {outcome.outcome}"].add(proposition.proposition_id)
        if outcome.amount is not None:
            amounts[f"{proposition.action} amount"] += outcome.amount
    return {name: Decimal(len(ids)) for name, ids in had.items()} | amounts
