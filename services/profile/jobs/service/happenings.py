"""Imports of events, consents and assessments: each is recorded once."""

from collections.abc import Mapping, Sequence
from functools import partial

import asyncpg
import polars as pl
from anyio import to_thread

from services.profile.assessments import service as assessments
from services.profile.assessments.domain import Assessment, valid_until
from services.profile.consents import service as consents
from services.profile.consents.domain import Channel, State, Statement
from services.profile.customers import service as customers
from services.profile.event_types import service as event_types
from services.profile.events import service as events
from services.profile.features import service as features
from services.profile.jobs import repository
from services.profile.jobs.domain import checks
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from services.profile.jobs.domain.events import formed, lines, outcome
from services.profile.jobs.domain.jobs import Outcome, Row, sift, totals
from services.profile.jobs.service.context import Context
from services.profile.purposes import service as purposes
from services.profile.purposes.domain import Purpose


async def take_events(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """Record events as single ones are recorded; the doubtful ones are rejected."""
    required = LAYOUTS[ImportKind.EVENTS].required
    types = await event_types.among(connection, batch["type"].drop_nulls().unique().to_list())
    given = await to_thread.run_sync(formed, batch, required, types)
    named = given.events["customer_id"].unique().to_list()
    known = await repository.known_customers(connection, named)
    holders = await _holders(connection, given.events, named)
    placed = _placed(given.events, holders)
    csv = await to_thread.run_sync(lines, placed, known | frozenset(holders.values()))
    terms = events.terms_of(context.clock, context.currency, types)
    told = await events.record_csv(connection, csv, terms)
    flows = {name: kind.flow for name, kind in types.items()}
    return await to_thread.run_sync(partial(outcome, given, told, flows=flows))


async def _holders(
    connection: asyncpg.Connection, given: pl.DataFrame, named: Sequence[str]
) -> dict[int, str]:
    if not await customers.parties_among(connection, named):
        return {}
    addressed = given.select("customer_id", "account_id", "holding_id").rows()
    return await events.holders_of(connection, addressed)


def _placed(given: pl.DataFrame, holders: Mapping[int, str]) -> pl.DataFrame:
    """Have what happened at an account or holding follow the record that has it."""
    if not holders:
        return given
    kept = pl.DataFrame({"row": [*holders], "holder": [*holders.values()]})
    return (
        given.with_row_index("row")
        .join(kept.cast({"row": pl.UInt32}), on="row", how="left")
        .with_columns(customer_id=pl.coalesce("holder", "customer_id"))
        .drop("row", "holder")
    )


async def take_consents(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """Record statements of consent; those recorded before change nothing."""
    layout = LAYOUTS[ImportKind.CONSENTS]
    rows = batch.to_dicts()
    known = await _locked(connection, rows)
    now = context.now
    texts = await purposes.texts_of_all(connection)
    sifted = sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=lambda row: checks.consent(row, known, now, texts),
    )
    said = [(known[row["customer_id"]], _statement(row)) for row in sifted.rows]
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
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """Record assessments of the past: how often a customer may answer does not bind them."""
    layout = LAYOUTS[ImportKind.ASSESSMENTS]
    rows = batch.to_dicts()
    known = await _locked(connection, rows)
    now = context.now
    sifted = sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=lambda row: checks.assessment(row, known, now),
    )
    given = [
        (known[row["customer_id"]], _assessment(row, context.client_id)) for row in sifted.rows
    ]
    added = await assessments.record_many(connection, given, now=now)
    return Outcome(
        accepted=len(added),
        unchanged=len(given) - len(added),
        rejects=sifted.rejects,
        touched=sorted({customer_id for customer_id, _ in added}),
        report=totals(sifted.rows, ("risk_class",)),
    )


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


async def _locked(connection: asyncpg.Connection, rows: Sequence[Row]) -> dict[str, str]:
    """Lock whom rows are about; return the survivor of each that exists."""
    wanted = {row["customer_id"] for row in rows}
    return await features.lock(connection, [w for w in wanted if checks.is_id(w)])
