from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from services.feedback.outcomes.domain import (
    Behaviour,
    Proposition,
    Reaction,
    RecordedOutcome,
    Report,
)
from shared.database import from_fen, to_fen

_PROPOSITION = (
    "customer_id, proposition_id, decision_id, channel, direction, decided_at, strategy, action,"
    " treatment, product, category, goal, window_days"
)
_REPORT = (
    "outcome_id, proposition_id, outcome, occurred_at, recorded_at, reason, amount, until, context"
)
NOBODY = ""
"""Whose the outcomes are of customers who were erased: they go on counting, and lead to nobody."""
_ADD_PROPOSITIONS = f"""
INSERT INTO proposition ({_PROPOSITION}, closes_at)
SELECT *, decided_at + make_interval(days => window_days)
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[],
            $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::int[])
    AS n ({_PROPOSITION})
ORDER BY proposition_id
ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of ours
_GIVEN = """
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[],
                     $6::text[], $7::bigint[], $8::timestamptz[], $9::text[], $10::text[])
    AS n (outcome_id, proposition_id, outcome, occurred_at, recorded_at, reason, amount, until,
          context, other)
"""
_ADD_OUTCOMES = f"""
WITH n AS ({_GIVEN})
INSERT INTO outcome (customer_id, {_REPORT}, behaviour)
SELECT p.customer_id, n.outcome_id, n.proposition_id, n.outcome, n.occurred_at, n.recorded_at,
       n.reason, n.amount, n.until, n.context::jsonb, n.other
FROM n JOIN proposition AS p ON p.proposition_id = n.proposition_id
ORDER BY n.outcome_id
ON CONFLICT DO NOTHING
RETURNING outcome_id
"""  # noqa: S608 - names of ours
_ADD_EARLY = f"""
WITH n AS ({_GIVEN})
INSERT INTO early_outcome ({_REPORT}, reporter)
SELECT n.outcome_id, n.proposition_id, n.outcome, n.occurred_at, n.recorded_at, n.reason,
       n.amount, n.until, n.context::jsonb, n.other
FROM n ORDER BY n.outcome_id
ON CONFLICT DO NOTHING
"""  # noqa: S608 - names of ours
_KNOWN = f"""
SELECT {_REPORT}, NULL AS reporter FROM outcome WHERE outcome_id = ANY ($1)
UNION ALL
SELECT {_REPORT}, reporter FROM early_outcome WHERE outcome_id = ANY ($1)
"""  # noqa: S608 - names of ours
_TAKE_EARLY = f"""
DELETE FROM early_outcome AS e USING proposition AS p
WHERE p.proposition_id = e.proposition_id AND e.problem IS NULL
  AND ($1::text[] IS NULL OR e.proposition_id = ANY ($1))
  AND ($2::timestamptz IS NULL OR e.recorded_at >= $2)
RETURNING {", ".join("e." + name.strip() for name in _REPORT.split(","))}, e.reporter
"""  # noqa: S608 - names of ours
_LABEL = """
UPDATE proposition AS p SET label = n.label
FROM unnest($1::text[], $2::text[]) AS n (proposition_id, label)
WHERE p.proposition_id = n.proposition_id AND p.label IS DISTINCT FROM n.label
"""
_SILENT = f"""
SELECT {_PROPOSITION} FROM proposition
WHERE label IS NULL AND closes_at <= $1 ORDER BY closes_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""  # noqa: S608 - names of ours
_RECORDED = f"""
SELECT o.behaviour, NULL AS reporter,
       {", ".join("o." + name.strip() for name in _REPORT.split(","))},
       {", ".join("p." + name.strip() for name in _PROPOSITION.split(",")[2:])}, p.customer_id
FROM outcome AS o JOIN proposition AS p USING (customer_id, proposition_id)
"""  # noqa: S608 - names of ours
_OF_CUSTOMER = f"""
{_RECORDED}
WHERE o.customer_id = ANY ($1)
  AND ($2::timestamptz IS NULL OR (o.occurred_at, o.outcome_id) < ($2, $3::text))
ORDER BY o.occurred_at DESC, o.outcome_id DESC LIMIT $4
"""
_RECENT = f"""
{_RECORDED}
WHERE o.recorded_at > (SELECT max(recorded_at) FROM outcome) - make_interval(days => $1)
  AND o.customer_id <> '{NOBODY}'
ORDER BY o.recorded_at, o.outcome_id
"""  # noqa: S608 - names of ours

# What is still open would be announced when it closes, so it goes; the rest gets other ids, and
# the day instead of the moment, so that nothing kept elsewhere leads back to the customer.
_ANONYMISE_OUTCOMES = f"""
WITH fresh AS MATERIALIZED (
    SELECT proposition_id, gen_random_uuid()::text AS id FROM proposition
    WHERE customer_id = ANY ($1) AND label IS NOT NULL
), renamed AS (
    UPDATE proposition AS p SET proposition_id = f.id, decision_id = f.id
    FROM fresh AS f WHERE p.proposition_id = f.proposition_id
)
UPDATE outcome AS o SET customer_id = '{NOBODY}', outcome_id = gen_random_uuid()::text,
    proposition_id = f.id, context = '{{}}',
    occurred_at = date_trunc('day', o.occurred_at), recorded_at = date_trunc('day', o.recorded_at)
FROM fresh AS f WHERE o.proposition_id = f.proposition_id
"""  # noqa: S608 - a word of ours
_DROP_OTHER_OUTCOMES = "DELETE FROM outcome WHERE customer_id = ANY ($1)"
_DROP_OPEN_PROPOSITIONS = "DELETE FROM proposition WHERE customer_id = ANY ($1) AND label IS NULL"
_ANONYMISE_PROPOSITIONS = f"""
UPDATE proposition SET customer_id = '{NOBODY}', decided_at = date_trunc('day', decided_at),
    closes_at = date_trunc('day', closes_at)
WHERE customer_id = ANY ($1)
"""  # noqa: S608 - a word of ours


async def anonymise_outcomes(connection: asyncpg.Connection, customer_ids: Sequence[str]) -> int:
    """Make the outcomes of customers nobody's, those of open propositions drop; return how many."""
    return await _count(connection, customer_ids, _ANONYMISE_OUTCOMES, _DROP_OTHER_OUTCOMES)


async def anonymise_propositions(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> int:
    """Make the propositions to customers nobody's, after their outcomes; return how many."""
    statements = _DROP_OPEN_PROPOSITIONS, _ANONYMISE_PROPOSITIONS
    return await _count(connection, customer_ids, *statements)


async def _count(
    connection: asyncpg.Connection, customer_ids: Sequence[str], *statements: str
) -> int:
    done = [await connection.execute(each, list(customer_ids)) for each in statements]
    return sum(int(status.split()[-1]) for status in done)


async def add_propositions(
    connection: asyncpg.Connection, propositions: Sequence[Proposition]
) -> None:
    """Store propositions; known ones stay as they are."""
    names = [name.strip() for name in _PROPOSITION.split(",")]
    columns = [[getattr(p, name) for p in propositions] for name in names]
    await connection.execute(_ADD_PROPOSITIONS, *columns)


async def lock_propositions(
    connection: asyncpg.Connection, proposition_ids: Iterable[str]
) -> dict[str, Proposition]:
    """Return known propositions, locked: their labels are restated by one caller at a time."""
    rows = await connection.fetch(
        f"SELECT {_PROPOSITION} FROM proposition WHERE proposition_id = ANY ($1)"  # noqa: S608
        " ORDER BY proposition_id FOR UPDATE",
        sorted(set(proposition_ids)),
    )
    return {row["proposition_id"]: Proposition(**row) for row in rows}


async def lock_silent(
    connection: asyncpg.Connection, *, now: datetime, limit: int
) -> list[Proposition]:
    """Return propositions whose window has passed without an answer, locked."""
    return [Proposition(**row) for row in await connection.fetch(_SILENT, now, limit)]


async def list_known(
    connection: asyncpg.Connection, outcome_ids: Iterable[str]
) -> dict[str, Report]:
    """Return what is already stored under these ids."""
    rows = await connection.fetch(_KNOWN, list(outcome_ids))
    return {row["outcome_id"]: _to_report(row) for row in rows}


async def add_outcomes(
    connection: asyncpg.Connection, reports: Sequence[tuple[Report, Behaviour]]
) -> set[str]:
    """Store outcomes of known propositions; return the ids that were new."""
    columns = _columns([report for report, _ in reports])
    behaviours = [behaviour.value for _, behaviour in reports]
    rows = await connection.fetch(_ADD_OUTCOMES, *columns, behaviours)
    return {row["outcome_id"] for row in rows}


async def add_early(connection: asyncpg.Connection, reports: Sequence[Report]) -> None:
    """Store outcomes whose decision has not arrived yet."""
    reporters = [report.customer for report in reports]
    await connection.execute(_ADD_EARLY, *_columns(reports), reporters)


async def take_early(
    connection: asyncpg.Connection,
    proposition_ids: Sequence[str] | None,
    *,
    since: datetime | None,
) -> list[Report]:
    """Remove and return early outcomes whose proposition is known now.

    None: of any proposition; recorded at any time.
    """
    rows = await connection.fetch(_TAKE_EARLY, proposition_ids, since)
    return sorted((_to_report(row) for row in rows), key=lambda report: report.outcome_id)


async def keep_unlinkable(connection: asyncpg.Connection, report: Report, problem: str) -> None:
    """Put an early outcome back that cannot be linked, with the reason."""
    await add_early(connection, [report])
    await connection.execute(
        "UPDATE early_outcome SET problem = $2 WHERE outcome_id = $1", report.outcome_id, problem
    )


async def list_reactions(
    connection: asyncpg.Connection, proposition_ids: Sequence[str]
) -> dict[str, list[Reaction]]:
    """Return all that came of these propositions."""
    rows = await connection.fetch(
        "SELECT proposition_id, outcome, occurred_at FROM outcome WHERE proposition_id = ANY ($1)",
        list(proposition_ids),
    )
    found: dict[str, list[Reaction]] = {proposition_id: [] for proposition_id in proposition_ids}
    for row in rows:
        reaction = Reaction(outcome=row["outcome"], occurred_at=row["occurred_at"])
        found[row["proposition_id"]].append(reaction)
    return found


async def set_labels(connection: asyncpg.Connection, labels: Mapping[str, str | None]) -> None:
    """Store the labels of locked propositions."""
    await connection.execute(_LABEL, list(labels), list(labels.values()))


async def list_of_customer(
    connection: asyncpg.Connection,
    records: Sequence[str],
    *,
    before: tuple[datetime, str] | None,
    limit: int,
) -> list[RecordedOutcome]:
    """Return the outcomes of a customer's records, newest first, from after the key `before`."""
    occurred_at, outcome_id = before or (None, None)
    rows = await connection.fetch(_OF_CUSTOMER, records, occurred_at, outcome_id, limit)
    return [_to_recorded(row) for row in rows]


async def stream_recorded(
    connection: asyncpg.Connection, *, days: int
) -> AsyncIterator[RecordedOutcome]:
    """Yield the outcomes of the last so many days before the newest, oldest first.

    Measured from the newest record: business time may be any, and a snapshot has no clock.
    """
    async for row in connection.cursor(_RECENT, days, prefetch=1_000):
        yield _to_recorded(row)


def _columns(reports: Sequence[Report]) -> list[list[Any]]:
    return [
        [report.outcome_id for report in reports],
        [report.proposition_id for report in reports],
        [report.outcome for report in reports],
        [report.occurred_at for report in reports],
        [report.recorded_at for report in reports],
        [report.reason for report in reports],
        [None if report.amount is None else to_fen(report.amount) for report in reports],
        [report.until for report in reports],
        [orjson.dumps(report.context).decode() for report in reports],
    ]


def _to_report(row: asyncpg.Record) -> Report:
    return Report(
        outcome_id=row["outcome_id"],
        proposition_id=row["proposition_id"],
        outcome=row["outcome"],
        occurred_at=row["occurred_at"],
        recorded_at=row["recorded_at"],
        reason=row["reason"],
        amount=None if row["amount"] is None else from_fen(row["amount"]),
        until=row["until"],
        context=row["context"],
        customer=row["reporter"],
    )


def _to_recorded(row: asyncpg.Record) -> RecordedOutcome:
    names = [name.strip() for name in _PROPOSITION.split(",")]
    return RecordedOutcome(
        report=_to_report(row),
        proposition=Proposition(**{name: row[name] for name in names}),
        behaviour=Behaviour(row["behaviour"]),
    )
