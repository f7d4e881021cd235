"""Desks that tell events, show pages, and report what customers answer."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.faults.desks import Desk
from tests.faults.ledger import Batch, Decision, Event, Fate, Outcome, Proposition

TODAY = datetime.fromisoformat("2026-03-04T00:00:00+08:00")
MORNING = TODAY + timedelta(hours=10)  # a Wednesday, outside every quiet hour
DAYS_AGO = (1, 2, 3, 5, 9, 15, 22, 25, 35, 50, 80, 85)  # none on the edge of a window
WITHOUT_AMOUNT = ("login", "branch_visit", "product_view")
WITH_AMOUNT = ("transfer_in", "salary", "transfer_out", "payment", "card_spend")
MOST_EVENTS = 5
SENT_TWICE = 0.1
ANSWERED = 0.5
TERMINAL = ("refused", "converted")


class EventDesk(Desk):
    """Sends what happened, in batches; sometimes the same batch once more."""

    async def step(self) -> None:
        batch = Batch(events=tuple(self._event() for _ in range(self.dice.randint(1, MOST_EVENTS))))
        self.ledger.batches.append(batch)
        await self._send(batch)
        if batch.fate is Fate.ACKNOWLEDGED and self.dice.random() < SENT_TWICE:
            await self._send(batch)

    async def _send(self, batch: Batch) -> None:
        body = {"events": [as_json(event) for event in batch.events]}
        answer = await self.crm.call("POST", "/v1/events", body, tries=self.patience())
        if answer.fate is not Fate.UNKNOWN:
            batch.fate = answer.fate
        counted = answer.body.get("accepted", 0) + answer.body.get("duplicates", 0)
        if answer.status and counted != len(batch.events):
            self.wonder("events", answer)

    def _event(self) -> Event:
        kind = self.dice.choice((*WITHOUT_AMOUNT, *WITH_AMOUNT))
        at = TODAY - timedelta(days=self.dice.choice(DAYS_AGO))
        fen = Decimal(self.dice.randint(1, 500_000)) / 100
        return Event(
            event_id=self.new_id(),
            customer_id=self.customer(),
            type=kind,
            occurred_at=at + timedelta(seconds=self.dice.randrange(86_400)),
            amount=fen if kind in WITH_AMOUNT else None,
        )


def as_json(event: Event) -> dict[str, Any]:
    """Return the event as the interface takes it."""
    written: dict[str, Any] = {
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "type": event.type,
        "occurred_at": event.occurred_at.isoformat(),
    }
    if event.amount is not None:
        written["amount"] = {"amount": f"{event.amount:.2f}", "currency": "CNY"}
    return written


class PageDesk(Desk):
    """Asks for decisions under ids of its own and reports what came of them.

    A proposition gets clicks, or one word that ends it: what it teaches is then plain.
    """

    async def step(self) -> None:
        decision = Decision(request_id=self.new_id(), customer_id=self.customer())
        self.ledger.decisions.append(decision)
        await self._decide(decision)
        if decision.fate is Fate.ACKNOWLEDGED and self.dice.random() < SENT_TWICE:
            await self._decide(decision)
        for proposition in decision.propositions:
            if self.dice.random() < ANSWERED:
                await self._answer(proposition)

    async def _decide(self, decision: Decision) -> None:
        wanted = {
            "customer_id": decision.customer_id,
            "channel": "app",
            "request_id": decision.request_id,
        }
        answer = await self.crm.call("POST", "/v1/decisions", wanted, tries=self.patience())
        if answer.fate is Fate.REFUSED:
            self.wonder("decision", answer)
        if not answer.is_acknowledged:
            return
        decision.fate = answer.fate
        if {"budget_exceeded", "unavailable"} & set(answer.body["degraded_by"]):
            return  # the empty answer that needs nothing is not recorded
        if decision.decision_id not in {None, answer.body["decision_id"]}:
            self.wonder(f"another decision than {decision.decision_id}", answer)
        decision.decision_id = answer.body["decision_id"]
        decision.propositions = tuple(
            _proposition(decision.customer_id, item) for item in answer.body["propositions"]
        )

    async def _answer(self, proposition: Proposition) -> None:
        words = ["clicked"] * self.dice.randint(1, 3)
        if self.dice.random() < 0.1:
            words = [self.dice.choice(TERMINAL)]
        for word in words:
            amount = Decimal(self.dice.randint(1, 5_000)) if word == "converted" else None
            outcome = Outcome(
                outcome_id=self.new_id(), proposition=proposition, outcome=word, amount=amount
            )
            self.ledger.outcomes.append(outcome)
            await self._report(outcome)

    async def _report(self, outcome: Outcome) -> None:
        wanted: dict[str, Any] = {
            "outcome_id": outcome.outcome_id,
            "proposition_id": outcome.proposition.proposition_id,
            "outcome": outcome.outcome,
        }
        if outcome.amount is not None:
            wanted["amount"] = {"amount": f"{outcome.amount:.2f}", "currency": "CNY"}
        answer = await self.crm.call("POST", "/v1/outcomes", wanted, tries=self.patience())
        outcome.fate = answer.fate
        if answer.fate is Fate.REFUSED:
            self.wonder("outcome", answer)


def _proposition(customer_id: str, item: dict[str, Any]) -> Proposition:
    return Proposition(
        proposition_id=item["id"],
        customer_id=customer_id,
        treatment=item["treatment"],
        action=item["action"],
        product=item["product"],
        category=item["category"],
    )
