"""Keeping the local customer state up to date from the feeds of profile and segment."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import orjson

from services.strategy.customers import repository
from services.strategy.customers.domain import Consent, Customer, Lapse
from shared.feed import Event, Handler
from shared.tokens import Token

FLAGS = ("is_deceased", "is_frozen", "in_hardship", "in_collection", "is_minor_until")


def safety_handlers() -> list[Handler]:
    """Handlers of profile's safety lane: whom we must leave alone."""
    return [
        Handler(["profile.consent_changed.v1"], _apply_consents),
        Handler(["profile.consent_purpose_changed.v1"], _apply_purposes),
        Handler(["profile.flags_changed.v1"], _apply_flags),
        Handler(["profile.assessment_recorded.v1"], _apply_assessments),
        Handler(["profile.complaint_opened.v1", "profile.complaint_closed.v1"], _apply_complaints),
    ]


def main_handlers() -> list[Handler]:
    """Handlers of single-customer changes in profile's main lane."""
    return [
        Handler(["profile.features_changed.v1"], _apply_features),
        Handler(["profile.ownership_changed.v1"], _apply_ownership),
    ]


def segment_handlers() -> list[Handler]:
    """Handlers of single-customer changes in segment's main lane."""
    return [Handler(["segment.memberships_changed.v1"], _apply_memberships)]


async def _apply_features(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    rows = [
        (event.subject, _json(event.data["features"]), _time(event.data["as_of"]))
        for event in events
    ]
    await repository.set_features(connection, rows)


async def _apply_memberships(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    rows = [
        (
            event.subject,
            _json(event.data["levels"]),
            _json(event.data["segments"]),
            _time(event.data["as_of"]),
        )
        for event in events
    ]
    await repository.set_memberships(connection, rows)


async def _apply_consents(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    rows = [
        (
            event.subject,
            [consent_of(item) for item in event.data["consents"]],
            bool(event.data["personalization"]),
            bool(event.data["automated_decisions"]),
        )
        for event in events
    ]
    await repository.set_consents(connection, rows)


async def _apply_purposes(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    for event in events:
        lapses = [
            Lapse(
                purpose=event.subject,
                before=_time(text["since"]),
                at=_time(text["lapses_at"]),
            )
            for text in event.data["texts"]
            if text["lapses_at"] is not None
        ]
        await repository.set_lapses(connection, event.subject, lapses)


async def _apply_flags(connection: asyncpg.Connection, events: Sequence[Event], _: object) -> None:
    rows = [(event.subject, {name: event.data[name] for name in FLAGS}) for event in events]
    await repository.set_flags(connection, rows)


async def _apply_assessments(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    rows = [
        (event.subject, int(event.data["risk_class"]), _time(event.data["valid_until"]))
        for event in events
    ]
    await repository.set_assessments(connection, rows)


async def _apply_complaints(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    rows = [
        (event.subject, str(event.data["complaint_id"]), event.data.get("closed_at"))
        for event in events
    ]
    await repository.note_complaints(connection, rows)


async def _apply_ownership(
    connection: asyncpg.Connection, events: Sequence[Event], _: object
) -> None:
    rows = [(event.subject, event.data["org_path"], event.data["rm_id"]) for event in events]
    await repository.set_ownership(connection, rows)


async def set_survivors(connection: asyncpg.Connection, events: Sequence[Event]) -> list[str]:
    """Take over whose records are merged or parted; return whom that concerns."""
    concerned: set[str] = set()
    for event in events:
        concerned.update(
            await repository.set_survivor(connection, event.subject, event.data["survivor"])
        )
    return sorted(concerned)


def reaches(token: Token, customer: Customer | None) -> bool:
    """Tell whether the token's data scope (organisation subtree, RM) has this customer in it."""
    if token.org is None and token.rm is None:
        return True
    if customer is None:
        return False
    org = customer.org_path or ""
    in_org = token.org is None or f"{org}/".startswith(f"{token.org.rstrip('/')}/")
    return in_org and token.rm in {None, customer.rm_id}


def consent_of(item: dict[str, str]) -> Consent:
    """Read a consent as profile publishes and serves it."""
    return Consent(
        purpose=item["purpose"],
        channel=item["channel"],
        is_granted=item["state"] == "granted",
        at=_time(item["at"]),
    )


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
