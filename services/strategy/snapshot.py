"""What strategy publishes, told again to a reader that begins: the facts of the last 400 days."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import asyncpg

from services.strategy.catalogue.domain.compiled import Catalogue
from services.strategy.catalogue.service import Catalogues
from shared.feed import Event, source_of

KEPT = timedelta(days=400)
DECISION_MADE = "strategy.decision_made.v1"
CONTACT = {
    "reserved": "strategy.contact_reserved.v1",
    "expired": "strategy.contact_reserved.v1",
    "confirmed": "strategy.contact_confirmed.v1",
    "released": "strategy.contact_released.v1",
}
_DECISIONS = """
SELECT decision_id, customer_id, channel, direction, at, cardinality(degraded) > 0 AS is_degraded,
       catalogue_version, chosen
FROM decision WHERE at >= $1 ORDER BY at, decision_id
"""
_CONTACTS = """
SELECT contact_id, customer_id, channel, purpose, action, proposition_id, state, reserved_at,
       changed_at
FROM contact WHERE reserved_at >= $1 ORDER BY reserved_at, contact_id
"""


async def snapshot(connection: asyncpg.Connection, types: frozenset[str]) -> AsyncIterator[Event]:
    """Yield the facts of the wanted types, oldest first; readers know them by the ids in them."""
    since = datetime.now(UTC) - KEPT
    if DECISION_MADE in types:
        async for event in _decisions(connection, since):
            yield event
    if types & set(CONTACT.values()):
        async for row in connection.cursor(_CONTACTS, since):
            for event in _contacts(row):
                if event.type in types:
                    yield event


async def _decisions(connection: asyncpg.Connection, since: datetime) -> AsyncIterator[Event]:
    catalogues = Catalogues()
    async for row in connection.cursor(_DECISIONS, since):
        catalogue = await catalogues.as_of(connection, row["catalogue_version"])
        names = ("decision_id", "customer_id", "channel", "direction")
        data = {name: row[name] for name in names}
        data |= {"at": row["at"], "degraded": row["is_degraded"]}
        data["propositions"] = [_proposition(catalogue, chosen) for chosen in row["chosen"]]
        yield _event(row["decision_id"], DECISION_MADE, row["customer_id"], row["at"], data)


def _proposition(catalogue: Catalogue, chosen: dict[str, object]) -> dict[str, object]:
    treatment = str(chosen["treatment"])
    action = catalogue.action_by_id[treatment.split("/", maxsplit=1)[0]]
    return {
        "proposition_id": chosen["id"],
        "action": action.id,
        "treatment": treatment,
        "strategy": action.strategy.key,
        "product": action.product.key if action.product else None,
        "category": action.category,
        "rank": chosen["rank"],
        "probability": chosen["probability"],
        "goal": action.strategy.goal_outcome,
        "window_days": action.strategy.window_days,
    }


def _contacts(row: asyncpg.Record) -> list[Event]:
    """Return what became of a contact: its reservation, and how it was settled."""
    names = ("contact_id", "customer_id", "channel", "purpose", "action", "proposition_id")
    data = {name: row[name] for name in names}
    steps = {CONTACT["reserved"]: row["reserved_at"]} | {CONTACT[row["state"]]: row["changed_at"]}
    return [
        _event(f"{row['contact_id']}_{place}", kind, row["customer_id"], at, {**data, "at": at})
        for place, (kind, at) in enumerate(steps.items())
    ]


def _event(id_: str, kind: str, subject: str, at: datetime, data: dict[str, object]) -> Event:
    return Event(
        id=id_, source=source_of("strategy"), type=kind, subject=subject, time=at, at=at, data=data
    )
