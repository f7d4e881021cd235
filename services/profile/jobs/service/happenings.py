"""Imports of events, consents and assessments: each is recorded once."""

from collections.abc import Sequence

import asyncpg
import orjson

from services.profile.assessments import service as assessments
from services.profile.assessments.domain import Assessment, valid_until
from services.profile.consents import service as consents
from services.profile.consents.domain import Channel, Purpose, State, Statement
from services.profile.events import service as events
from services.profile.events.domain import Event
from services.profile.features import service as features
from services.profile.jobs import repository
from services.profile.jobs.domain import checks
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from services.profile.jobs.domain.jobs import Outcome, Reject, Row, sift, totals
from services.profile.jobs.service.context import Context
from services.profile.vocabulary import event_types


async def take_events(
    connection: asyncpg.Connection, rows: Sequence[Row], first: int, context: Context
) -> Outcome:
    """Record events as single ones are recorded; the doubtful ones are rejected."""
    layout = LAYOUTS[ImportKind.EVENTS]
    sifted = sift(
        rows,
        first=first,
        id_column=layout.id,
        reason_of=lambda row: (
            checks.general(row, layout.required) or checks.event(row) or _read_data(row)
        ),
    )
    known = await _customers(connection, sifted.rows)
    taken = await events.take(
        connection,
        [Event(**row) for row in sifted.rows],
        customers=known,
        currency=context.currency,
        clock=context.clock,
    )
    doubted = [
        Reject(sifted.numbers[place], event.event_id, reason)
        for place, event, reason in taken.doubted
    ]
    kept = [_counted(sifted.rows[place]) for place, _ in taken.believed]
    return Outcome(
        accepted=len(taken.fresh),
        unchanged=taken.duplicates,
        rejects=[*sifted.rejects, *doubted],
        touched=sorted({customer_id for customer_id, _ in taken.fresh}),
        report=totals(kept, ("type", "direction"), ("amount",)),
    )


async def take_consents(
    connection: asyncpg.Connection, rows: Sequence[Row], first: int, context: Context
) -> Outcome:
    """Record statements of consent; those recorded before change nothing."""
    layout = LAYOUTS[ImportKind.CONSENTS]
    known = await _locked(connection, rows)
    now = context.now
    sifted = sift(
        rows,
        first=first,
        id_column=layout.id,
        reason_of=lambda row: (
            checks.general(row, layout.required) or checks.consent(row, known, now)
        ),
    )
    said = [(row["customer_id"], _statement(row)) for row in sifted.rows]
    fresh = await consents.unrecorded(connection, said)
    await consents.record_many(connection, fresh, recorded_by=context.client_id, now=now)
    return Outcome(
        accepted=len(fresh),
        unchanged=len(said) - len(fresh),
        rejects=sifted.rejects,
        touched=sorted({customer_id for customer_id, _ in fresh}),
        report=totals(sifted.rows, ("purpose", "state")),
    )


async def take_assessments(
    connection: asyncpg.Connection, rows: Sequence[Row], first: int, context: Context
) -> Outcome:
    """Record assessments of the past: how often a customer may answer does not bind them."""
    layout = LAYOUTS[ImportKind.ASSESSMENTS]
    known = await _locked(connection, rows)
    now = context.now
    sifted = sift(
        rows,
        first=first,
        id_column=layout.id,
        reason_of=lambda row: (
            checks.general(row, layout.required) or checks.assessment(row, known, now)
        ),
    )
    given = [(row["customer_id"], _assessment(row, context.client_id)) for row in sifted.rows]
    added = await assessments.record_many(connection, given, now=now)
    return Outcome(
        accepted=added,
        unchanged=len(given) - added,
        rejects=sifted.rejects,
        touched=sorted({customer_id for customer_id, _ in given}),
        report=totals(sifted.rows, ("risk_class",)),
    )


def _read_data(row: Row) -> str | None:
    """Replace the JSON text of `data` by its value; return what is wrong with it."""
    if row["data"] is None:
        return None
    try:
        row["data"] = orjson.loads(row["data"])
    except ValueError:
        return "bad_data"
    return None if isinstance(row["data"], dict) and "\\u0000" not in str(row) else "bad_data"


def _counted(row: Row) -> Row:
    flow = event_types()[row["type"]].flow
    return {**row, "direction": row["direction"] or flow}


def _statement(row: Row) -> Statement:
    return Statement(
        purpose=Purpose(row["purpose"]),
        channel=Channel(row["channel"] or Channel.ALL),
        state=State(row["state"]),
        text_version=row["text_version"],
        at=row["at"],
        evidence=row["evidence"],
    )


def _assessment(row: Row, client_id: str) -> Assessment:
    return Assessment(
        risk_class=row["risk_class"],
        assessed_at=row["assessed_at"],
        valid_until=valid_until(row["assessed_at"]),
        questionnaire_version=row["questionnaire_version"] or "",
        submitted_by=client_id,
    )


async def _customers(connection: asyncpg.Connection, rows: Sequence[Row]) -> frozenset[str]:
    wanted = {row["customer_id"] for row in rows}
    return await repository.known_customers(connection, [w for w in wanted if checks.is_id(w)])


async def _locked(connection: asyncpg.Connection, rows: Sequence[Row]) -> frozenset[str]:
    wanted = {row["customer_id"] for row in rows}
    return frozenset(await features.lock(connection, [w for w in wanted if checks.is_id(w)]))
