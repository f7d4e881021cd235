"""Recording outcomes: reported, linked with their proposition, labelled, announced."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import asyncpg

from services.feedback.customers import repository as customers
from services.feedback.customers.domain import Scope
from services.feedback.outcomes import repository
from services.feedback.outcomes.domain import (
    Proposition,
    RecordedOutcome,
    Report,
    Vocabulary,
    check_link,
    check_repeat,
    faults,
    final_label,
    no_proposition,
    silence_of,
)
from shared.errors import DomainError, FieldError, Invalid
from shared.feed import Event, Handler, NewEvent, publish_many, source_of
from shared.logging import log

RECORDED = "feedback.outcome_recorded.v1"
DECIDED = "strategy.decision_made.v1"
SNAPSHOT_DAYS = 400
CLOSED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of reports: `early` ones wait for their decision, `event_id` is the last one."""

    reports: Sequence[Report]
    accepted: int
    duplicates: int
    early: int
    event_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """Records outcomes in the words and the currency of this bank."""

    vocabulary: Vocabulary
    currency: str

    async def take(
        self,
        connection: asyncpg.Connection,
        reports: Sequence[Report],
        *,
        pointers: Sequence[str],
        scope: Scope,
        now: datetime,
    ) -> Taken:
        """Record reports, all or none; those known already change nothing.

        Raises:
            Invalid: with every field that makes no sense.
            OutcomeDiffers: an id stands for something else.
            NotFound: a proposition of a customer the caller may not see.
        """
        self._check(reports, pointers, now)
        bound = [replace(report, customer=scope.customer) for report in reports]
        places = dict(zip((r.outcome_id for r in bound), pointers, strict=True))
        known = await repository.list_known(connection, places)
        new = _new_ones(bound, pointers, known)
        propositions = await repository.lock_propositions(
            connection, (report.proposition_id for report in bound)
        )
        await _must_see(connection, propositions, scope)
        early = [report for report in new if report.proposition_id not in propositions]
        linked = [report for report in new if report.proposition_id in propositions]
        for report in linked:
            proposition = propositions[report.proposition_id]
            pointer = places[report.outcome_id]
            check_link(report, proposition, self.vocabulary, pointer=pointer)
        await repository.add_early(connection, early)
        events = await self._record(connection, linked, propositions)
        return Taken(
            reports=bound,
            accepted=len(new),
            duplicates=len(bound) - len(new),
            early=len(early),
            event_id=events[-1] if events else None,
        )

    async def link(
        self,
        connection: asyncpg.Connection,
        proposition_ids: Sequence[str] | None = None,
        *,
        since: datetime | None = None,
    ) -> None:
        """Record the early outcomes whose decision has arrived (None: of any, of any time)."""
        reports = await repository.take_early(connection, proposition_ids, since=since)
        if not reports:
            return
        propositions = await repository.lock_propositions(
            connection, (report.proposition_id for report in reports)
        )
        fitting: list[Report] = []
        for report in reports:
            try:
                check_link(report, propositions[report.proposition_id], self.vocabulary)
                fitting.append(report)
            except DomainError as error:
                log.warning("outcome_not_linked", outcome_id=report.outcome_id, reason=error.reason)
                await repository.keep_unlinkable(connection, report, error.reason)
        await self._record(connection, fitting, propositions)

    async def close_silent(self, connection: asyncpg.Connection, *, now: datetime) -> int:
        """Record silence for propositions whose window has passed; return how many."""
        silent = await repository.lock_silent(connection, now=now, limit=CLOSED_AT_ONCE)
        reports = [silence_of(proposition, self.vocabulary, now=now) for proposition in silent]
        propositions = {proposition.proposition_id: proposition for proposition in silent}
        await self._record(connection, reports, propositions)
        return len(reports)

    def decisions(self) -> Handler:
        """The handler that keeps strategy's propositions and links what waited for them."""

        async def apply(connection: asyncpg.Connection, events: Sequence[Event], _: Any) -> None:
            propositions = [proposition for event in events for proposition in proposed(event.data)]
            if propositions:
                await repository.add_propositions(connection, propositions)
                await self.link(connection, [p.proposition_id for p in propositions])

        return Handler([DECIDED], apply)

    async def snapshot(
        self, connection: asyncpg.Connection, types: frozenset[str]
    ) -> AsyncIterator[Event]:
        """Yield the outcomes of the last 400 days as the events that told them."""
        if RECORDED not in types:
            return
        async for outcome in repository.stream_recorded(connection, days=SNAPSHOT_DAYS):
            yield Event(
                id=outcome.report.outcome_id,
                source=source_of("feedback"),
                type=RECORDED,
                subject=outcome.proposition.customer_id,
                time=outcome.report.recorded_at,
                at=outcome.report.recorded_at,
                data=told(outcome, self.currency),
            )

    def _check(self, reports: Sequence[Report], pointers: Sequence[str], now: datetime) -> None:
        wrong = [
            FieldError(pointer + fault.pointer, fault.detail)
            for report, pointer in zip(reports, pointers, strict=True)
            for fault in faults(report, self.vocabulary, now=now)
        ]
        if wrong:
            places = ", ".join(f"{fault.pointer} {fault.detail}" for fault in wrong[:3])
            raise Invalid(f"{len(wrong)} field(s) make no sense: {places}", errors=wrong)

    async def _record(
        self,
        connection: asyncpg.Connection,
        reports: Sequence[Report],
        propositions: dict[str, Proposition],
    ) -> list[str]:
        if not reports:
            return []
        kinds = self.vocabulary.outcomes
        behaviours = [(report, kinds[report.outcome].behaviour) for report in reports]
        new = await repository.add_outcomes(connection, behaviours)
        recorded = [
            RecordedOutcome(
                report=report, proposition=propositions[report.proposition_id], behaviour=behaviour
            )
            for report, behaviour in behaviours
            if report.outcome_id in new
        ]
        touched = sorted({outcome.report.proposition_id for outcome in recorded})
        reactions = await repository.list_reactions(connection, touched)
        labels = {key: final_label(reactions[key], kinds) for key in touched}
        await repository.set_labels(connection, labels)
        return await publish_many(
            connection,
            [
                NewEvent(
                    type=RECORDED,
                    subject=outcome.proposition.customer_id,
                    data=told(outcome, self.currency),
                    at=outcome.report.recorded_at,
                    state=False,
                )
                for outcome in recorded
            ],
        )


def proposed(decision: dict[str, Any]) -> list[Proposition]:
    """Return the propositions of a decision as strategy told it."""
    return [
        Proposition(
            customer_id=decision["customer_id"],
            proposition_id=entry["proposition_id"],
            decision_id=decision["decision_id"],
            channel=decision["channel"],
            direction=decision["direction"],
            decided_at=datetime.fromisoformat(decision["at"]),
            strategy=entry["strategy"],
            action=entry["action"],
            treatment=entry["treatment"],
            product=entry["product"],
            category=entry["category"],
            goal=entry["goal"],
            window_days=entry["window_days"],
        )
        for entry in decision["propositions"]
    ]


def told(outcome: RecordedOutcome, currency: str) -> dict[str, object]:
    """Return an outcome as its event tells it; the report's context stays here."""
    report, proposition = outcome.report, outcome.proposition
    return {
        "outcome_id": report.outcome_id,
        "proposition_id": proposition.proposition_id,
        "decision_id": proposition.decision_id,
        "customer_id": proposition.customer_id,
        "outcome": report.outcome,
        "behaviour": outcome.behaviour.value,
        "reason": report.reason,
        "channel": proposition.channel,
        "direction": proposition.direction,
        "strategy": proposition.strategy,
        "action": proposition.action,
        "treatment": proposition.treatment,
        "product": proposition.product,
        "category": proposition.category,
        "occurred_at": report.occurred_at,
        "recorded_at": report.recorded_at,
        "amount": None
        if report.amount is None
        else {"amount": f"{report.amount:.2f}", "currency": currency},
        "until": report.until,
    }


async def _must_see(
    connection: asyncpg.Connection, propositions: dict[str, Proposition], scope: Scope
) -> None:
    whose = {p.customer_id for p in propositions.values()}
    seen = await customers.list_seen(connection, sorted(whose), scope)
    for proposition in propositions.values():
        if proposition.customer_id not in seen:
            raise no_proposition(proposition.proposition_id)


def _new_ones(
    reports: Sequence[Report], pointers: Sequence[str], known: dict[str, Report]
) -> list[Report]:
    """Return the first report of each unknown id; check the repeats."""
    before = dict(known)
    new: list[Report] = []
    for report, pointer in zip(reports, pointers, strict=True):
        if report.outcome_id in before:
            check_repeat(report, before[report.outcome_id], pointer=pointer)
        else:
            new.append(report)
            before[report.outcome_id] = report
    return new
