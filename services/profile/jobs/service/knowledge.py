"""Imports of relations, KYC values, needs and goals: each is stated anew, what differs is kept."""

from collections.abc import Callable, Mapping, Sequence

import asyncpg
import polars as pl

from services.profile.customers import service as customers
from services.profile.features import service as features
from services.profile.identities import service as identities
from services.profile.identities.domain import MASK, Reference
from services.profile.jobs import repository
from services.profile.jobs.domain import checks
from services.profile.jobs.domain.columns import LAYOUTS, ImportKind
from services.profile.jobs.domain.jobs import Outcome, Row, Sifted, sift, totals
from services.profile.jobs.service.context import Context
from services.profile.kyc import service as kyc
from services.profile.kyc.domain import Value
from services.profile.relations import service as relations
from services.profile.relations.domain.admission import Admission
from services.profile.relations.domain.relations import Relation
from services.profile.vocabulary import goals, kyc_items, needs, source_systems
from shared.errors import DomainError

_NEED_TYPES = {
    "customer_id": "text",
    "need_id": "text",
    "kind": "text",
    "code": "text",
    "source": "text",
    "confidence": "float8",
    "stated_at": "timestamptz",
    "valid_until": "timestamptz",
    "resolved_at": "timestamptz",
}
_GOAL_TYPES = {
    "customer_id": "text",
    "goal_id": "text",
    "kind": "text",
    "target": "bigint",
    "horizon": "date",
    "priority": "int",
    "progress": "float8",
    "source": "text",
    "stated_at": "timestamptz",
    "closed_at": "timestamptz",
}
_STATED = ("relation_id", "kind", "to_id", "role", "since", "until", "share", "source")


async def take_relations(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """State relations anew; each must go with those there are and those above it."""
    rows = batch.to_dicts()
    there = await _lock(connection, rows, ("customer_id", "to_id"))
    reasons = checks.general_reasons(batch, LAYOUTS[ImportKind.RELATIONS].required)
    wanted = [
        relations.between(_relation(row, context), there)
        for row, reason in zip(rows, reasons, strict=True)
        if reason is None and checks.is_id(row["customer_id"])
    ]
    admission = await relations.admission_of(connection, wanted, {*there.values()})
    sifted = _sifted(
        ImportKind.RELATIONS,
        batch,
        rows,
        lambda row: (
            checks.relation(row, there)
            or _refusal(admission, relations.between(_relation(row, context), there))
        ),
    )
    given = [relations.between(_relation(row, context), there) for row in sifted.rows]
    written = await relations.put_many(connection, given)
    touched = {
        party
        for relation in given
        if relation.key in written
        for party in (relation.from_id, relation.to_id)
    }
    return _outcome(sifted, len(written), touched, "kind")


async def take_kyc(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """Take values of the KYC card that were confirmed later than those there."""
    layout = LAYOUTS[ImportKind.KYC]
    rows = batch.to_dicts()
    there = await _lock(connection, rows, ("customer_id",))
    party_types = await customers.party_types_of(connection, list(there))
    sifted = sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=lambda row: checks.kyc_value(row, party_types, kyc_items(), context.now),
        key=lambda row: (row["customer_id"], row["item"]),
    )
    given = [_value(row, context) for row in sifted.rows]
    written = await kyc.put_later(connection, given, context.now)
    return _outcome(sifted, len(written), {customer_id for customer_id, _ in written}, "item")


async def take_needs(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """State needs anew."""
    rows = batch.with_columns(pl.col("confidence").fill_null(1.0)).to_dicts()
    there = await _lock(connection, rows, ("customer_id",))

    def reason_of(row: Row) -> str | None:
        return checks.need(row, there, needs(), context.now)

    sifted = _sifted(ImportKind.NEEDS, batch, rows, reason_of)
    written = await _upsert(connection, "need", _NEED_TYPES, sifted, context)
    return _outcome(sifted, len(written), set(), "code")


async def take_goals(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """State financial goals anew."""
    rows = batch.with_columns(pl.col("priority").fill_null(1)).to_dicts()
    there = await _lock(connection, rows, ("customer_id",))

    def reason_of(row: Row) -> str | None:
        return checks.goal(row, there, goals(), context.now)

    sifted = _sifted(ImportKind.GOALS, batch, rows, reason_of)
    written = await _upsert(connection, "goal", _GOAL_TYPES, sifted, context)
    return _outcome(sifted, len(written), {key[0] for key in written}, "kind")


async def take_identities(
    connection: asyncpg.Connection, batch: pl.DataFrame, context: Context
) -> Outcome:
    """Add references of the bank's systems; what leads to another customer stays with that one."""
    layout = LAYOUTS[ImportKind.IDENTITIES]
    rows = batch.to_dicts()
    there = await _lock(connection, rows, ("customer_id",))
    reasons = checks.general_reasons(batch, layout.required)
    named = [
        (row["system"], row["reference"])
        for row, reason in zip(rows, reasons, strict=True)
        if reason is None
    ]
    bearers = await identities.bearers_of(connection, context.ring, named)
    sifted = sift(
        rows,
        reasons,
        id_column=layout.id,
        reason_of=lambda row: (
            checks.identity(row, there, source_systems(), bearers)
            or _masked(row["system"], row["reference"])
        ),
        key=lambda row: (row["system"], row["reference"]),
    )
    given = [
        (row["customer_id"], Reference(system=row["system"], reference=row["reference"]))
        for row in sifted.rows
    ]
    added = await identities.add_many(connection, context.ring, given)
    return _outcome(sifted, added, set(), "system")


def _masked(system: str, reference: str) -> str | None:
    is_sealed = source_systems()[system].sealed
    return "masked_reference" if is_sealed and reference.startswith(MASK) else None


async def _upsert(
    connection: asyncpg.Connection,
    noun: str,
    types: Mapping[str, str],
    sifted: Sifted,
    context: Context,
) -> set[tuple[str, ...]]:
    """Write rows, only those that differ, into the table of a noun; return (customer, id)."""
    return await repository.upsert(
        connection,
        noun,
        key=("customer_id", f"{noun}_id"),
        types=types,
        rows=sifted.rows,
        only_new=context.is_late,
    )


def _sifted(
    kind: ImportKind,
    batch: pl.DataFrame,
    rows: Sequence[Row],
    reason_of: Callable[[Row], str | None],
) -> Sifted:
    """Part rows that are told apart by their customer and the id that they are reported by."""
    layout = LAYOUTS[kind]
    return sift(
        rows,
        checks.general_reasons(batch, layout.required),
        id_column=layout.id,
        reason_of=reason_of,
        key=lambda row: (row["customer_id"], row[layout.id]),
    )


def _refusal(admission: Admission, relation: Relation) -> str | None:
    try:
        admission.admit(relation)
    except DomainError as error:
        return error.reason
    return None


def _relation(row: Row, context: Context) -> Relation:
    return Relation(
        from_id=row["customer_id"],
        confidence=1.0 if row["confidence"] is None else row["confidence"],
        recorded_at=context.now,
        **{name: row[name] for name in _STATED},
    )


def _value(row: Row, context: Context) -> Value:
    customer_id, item, value = row["customer_id"], row["item"], row["value"]
    return Value(
        customer_id=customer_id,
        item=item,
        sealed=value and kyc.sealed_value(context.ring, customer_id, item, value),
        source=row["source"],
        confirmed_at=row["confirmed_at"],
    )


async def _lock(
    connection: asyncpg.Connection, rows: Sequence[Row], columns: Sequence[str]
) -> dict[str, str]:
    """Lock the parties that rows name; return the survivor of each that is there."""
    named = {row[column] for row in rows for column in columns}
    return await features.lock(connection, [n for n in named if checks.is_id(n)])


def _outcome(sifted: Sifted, accepted: int, touched: set[str], dimension: str) -> Outcome:
    return Outcome(
        accepted=accepted,
        unchanged=len(sifted.rows) - accepted,
        rejects=sifted.rejects,
        touched=sorted(touched),
        report=totals(sifted.rows, (dimension,)),
    )
