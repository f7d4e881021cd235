"""The timeline, and the readers that bring contacts and answers into it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.complaints import service as complaints
from services.profile.complaints.domain import Complaint
from services.profile.customers import service as customers
from services.profile.features import service as features
from services.profile.timeline import repository
from services.profile.timeline.domain import Entry, Filter, Source, Touch, shown_to
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.feed.events import Event
from shared.feed.handlers import Handler
from shared.tokens import Token

CONTACTS = ("reserved", "confirmed", "released", "refused")
OUTCOME = "feedback.outcome_recorded.v1"


async def list_of(
    session: AsyncSession,
    customer_id: str,
    wanted: Filter,
    *,
    token: Token,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[Entry]:
    """Return what happened with a customer, latest first.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    connection = await raw_connection(session)
    wanted = shown_to(wanted, is_customer=token.customer is not None)
    return await repository.list_of(connection, party.records, wanted, before=before, limit=limit)


async def latest(
    connection: asyncpg.Connection, records: Sequence[str], *, limit: int
) -> list[Entry]:
    """Return what happened last with a customer of these records, latest first."""
    return await repository.list_latest(connection, records, limit=limit)


@dataclass(frozen=True, slots=True)
class Follower:
    """Takes in what strategy and feedback tell."""

    clock: BusinessClock

    def contacts(self) -> Handler:
        """Follow the bank's contacts."""
        return Handler([f"strategy.contact_{state}.v1" for state in CONTACTS], self._contacts)

    def outcomes(self) -> Handler:
        """Follow customers' answers; one that is a complaint opens a complaint."""
        return Handler([OUTCOME], self._outcomes)

    async def _contacts(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: Any
    ) -> None:
        await repository.put(connection, [contact(event) for event in events])

    async def _outcomes(
        self, connection: asyncpg.Connection, events: Sequence[Event], _: Any
    ) -> None:
        await repository.put(connection, [outcome(event) for event in events])
        complained = [event for event in events if event.data["outcome"] == "complaint"]
        survivors = await features.lock(
            connection, [event.data["customer_id"] for event in complained]
        )
        for event in complained:
            survivor = survivors.get(event.data["customer_id"])
            if survivor is not None:
                await complaints.open_locked(connection, survivor, complaint(event), self.clock)


def contact(event: Event) -> Touch:
    """Read a contact; one that was refused has no id of its own."""
    data = event.data
    facts = {name: data.get(name) for name in ("purpose", "action", "proposition_id", "code")}
    return Touch(
        customer_id=data["customer_id"],
        entry=Entry(
            source=Source.CONTACT,
            id=data.get("contact_id", event.id),
            type=event.type.split(".")[1],
            occurred_at=datetime.fromisoformat(data["at"]),
            channel=data["channel"],
            facts={name: value for name, value in facts.items() if value is not None},
        ),
    )


def outcome(event: Event) -> Touch:
    """Read an answer."""
    data = event.data
    names = ("behaviour", "reason", "direction", "strategy", "action", "product", "category")
    facts = {name: data[name] for name in (*names, "amount", "proposition_id")}
    return Touch(
        customer_id=data["customer_id"],
        entry=Entry(
            source=Source.OUTCOME,
            id=data["outcome_id"],
            type=data["outcome"],
            occurred_at=datetime.fromisoformat(data["occurred_at"]),
            channel=data["channel"],
            facts={name: value for name, value in facts.items() if value is not None},
        ),
    )


def complaint(event: Event) -> Complaint:
    """Return the complaint that an answer opens; it bears the answer's id."""
    return Complaint(
        complaint_id=event.data["outcome_id"],
        category="outcome",
        opened_at=datetime.fromisoformat(event.data["occurred_at"]),
    )
