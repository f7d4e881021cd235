"""Closing the loop: an outcome silences what was refused, counts what was seen, and teaches."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

import asyncpg

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.catalogue.service import Catalogues
from services.strategy.contacts import repository as contacts
from services.strategy.customers import repository as customers
from services.strategy.customers.domain import zone_of
from services.strategy.customers.service import set_survivors
from services.strategy.outcomes import repository
from services.strategy.outcomes.domain import SEEN, Outcome
from services.strategy.propensities import service as propensities
from services.strategy.propensities.domain import final_label
from services.strategy.propensities.service import Labelled
from services.strategy.suppressions.domain import Suppression, suppressions_of
from shared.feed import Event, Handler

Now = Callable[[], datetime]


def outcome_handlers(catalogues: Catalogues, now: Now, bank_zone: ZoneInfo) -> list[Handler]:
    """Return the handler of feedback's outcomes."""

    async def apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
        catalogue = await catalogues.current(connection)
        outcomes = [_outcome(event) for event in events]
        await apply_outcomes(connection, catalogue, outcomes, now=now(), bank_zone=bank_zone)

    return [Handler(["feedback.outcome_recorded.v1"], apply)]


async def apply_outcomes(
    connection: asyncpg.Connection,
    catalogue: Catalogue,
    outcomes: Sequence[Outcome],
    *,
    now: datetime,
    bank_zone: ZoneInfo,
) -> None:
    """Apply outcomes; applied twice or in another order they leave the same state."""
    await repository.add_all(connection, outcomes)
    affected = sorted({outcome.customer_id for outcome in outcomes})
    await silence(connection, catalogue, affected, now=now, bank_zone=bank_zone)
    await contacts.settle(
        connection,
        [(o.customer_id, o.strategy, o.occurred_at) for o in outcomes if o.is_result],
    )
    await _teach(connection, catalogue, outcomes, bank_zone=bank_zone)


def merge_handlers(catalogues: Catalogues, now: Now, bank_zone: ZoneInfo) -> list[Handler]:
    """Return the handler of profile's merges: what either record answered silences both."""

    async def apply(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
        catalogue = await catalogues.current(connection)
        concerned = await set_survivors(connection, events)
        await silence(connection, catalogue, concerned, now=now(), bank_zone=bank_zone)

    return [Handler(["profile.customers_merged.v1"], apply)]


async def silence(
    connection: asyncpg.Connection,
    catalogue: Catalogue,
    affected: Sequence[str],
    *,
    now: datetime,
    bank_zone: ZoneInfo,
) -> None:
    """Work out anew what keeps the offers of these customers back."""
    survivors = sorted({*(await customers.survivors_of(connection, affected)).values()})
    seen_since = now - timedelta(days=catalogue.shelf.decisioning.impressions.days + 1)
    answers = await repository.list_answers(connection, survivors, seen_since=seen_since)
    for customer_id, history in answers.items():
        known = await customers.lock(connection, customer_id)
        if known is None and not history:
            continue
        zone = zone_of(known, bank_zone) if known else bank_zone
        await customers.set_silences(
            connection,
            customer_id,
            _suppressions(catalogue, history, zone=zone, now=now),
            _impressions(history, zone),
        )


def _suppressions(
    catalogue: Catalogue, history: Sequence[Outcome], *, zone: ZoneInfo, now: datetime
) -> list[Suppression]:
    """Return what still holds of all that the customer's answers silenced."""
    answers = [outcome.as_answer() for outcome in history if outcome.outcome != SEEN]
    rules = catalogue.shelf.policy.cool_offs
    found = {s for a in answers for s in suppressions_of(a, answers, rules, zone=zone)}
    return sorted((s for s in found if s.until > now), key=lambda s: (s.until, s.scope, s.key))


def _impressions(history: Sequence[Outcome], zone: ZoneInfo) -> dict[str, list[date]]:
    days: dict[str, list[date]] = defaultdict(list)
    for outcome in history:
        if outcome.outcome == SEEN:
            days[outcome.action].append(outcome.occurred_at.astimezone(zone).date())
    return dict(days)


async def _teach(
    connection: asyncpg.Connection,
    catalogue: Catalogue,
    outcomes: Sequence[Outcome],
    *,
    bank_zone: ZoneInfo,
) -> None:
    keys = sorted({(outcome.customer_id, outcome.proposition_id) for outcome in outcomes})
    known = await repository.list_of_propositions(connection, keys)
    labelled = [
        _labelled(catalogue, list(group), bank_zone)
        for _, group in groupby(known, key=lambda o: (o.customer_id, o.proposition_id))
    ]
    rules = catalogue.shelf.decisioning.propensity
    await propensities.learn(connection, labelled, rules)


def _labelled(catalogue: Catalogue, outcomes: Sequence[Outcome], bank_zone: ZoneInfo) -> Labelled:
    last = outcomes[-1]
    strategy = catalogue.strategy_by_key.get(last.strategy)
    goal = strategy.goal_outcome if strategy else "converted"
    return Labelled(
        customer_id=last.customer_id,
        proposition_id=last.proposition_id,
        treatment=last.treatment,
        category=last.category,
        goal_metric=strategy.goal_metric if strategy else "",
        channel=last.channel,
        label=final_label([outcome.as_reaction() for outcome in outcomes], goal=goal),
        day=last.occurred_at.astimezone(bank_zone).date(),
    )


def _outcome(event: Event) -> Outcome:
    data = {field.name: event.data[field.name] for field in fields(Outcome)}
    data["occurred_at"] = datetime.fromisoformat(data["occurred_at"])
    data["until"] = None if data["until"] is None else datetime.fromisoformat(data["until"])
    return Outcome(**data)
