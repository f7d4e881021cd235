"""Queries of the local customer state; statements take their rows in the order of their keys."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import asyncpg
import orjson

from services.strategy.customers.domain import Complaints, Consent, Customer, Flags, Lapse
from services.strategy.suppressions.domain import Scope, Suppression

COLUMNS = (
    "s.customer_id, s.features, s.features_at, s.levels, s.segments, s.memberships_at, s.consents,"
    " s.personalization, s.automated_decisions, s.flags, s.risk_class, s.risk_valid_until,"
    " s.complaints, s.suppressions, s.impressions, s.org_path, s.rm_id"
)
SURVIVOR = "s.customer_id = coalesce(r.merged_into, r.customer_id)"
"""Joins the state `s` of whom a record `r` is part of."""
LAPSES = "SELECT jsonb_agg(jsonb_build_array(purpose, before, at)) FROM consent_lapse"
"""What `to_lapses` reads."""
RECORDS = "(SELECT $1 UNION ALL SELECT customer_id FROM customer_state WHERE merged_into = $1)"
"""The ids of the records of customer `$1`, a survivor."""
_STATE = f"""
SELECT {COLUMNS}, s.merged_into
FROM customer_state AS r JOIN customer_state AS s ON {SURVIVOR} WHERE r.customer_id = $1
"""  # noqa: S608 - our columns
_FEATURES = """
INSERT INTO customer_state AS s (customer_id, features, features_at)
SELECT customer_id, json_strip_nulls(features::json), at
FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS n (customer_id, features, at)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET features = excluded.features, features_at = excluded.features_at
WHERE s.features_at IS NULL OR s.features_at <= excluded.features_at
"""
_MEMBERSHIPS = """
INSERT INTO customer_state AS s (customer_id, levels, segments, memberships_at)
SELECT customer_id, levels::jsonb, segments::jsonb, at
FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[])
    AS n (customer_id, levels, segments, at)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET levels = excluded.levels, segments = excluded.segments, memberships_at = excluded.memberships_at
WHERE s.memberships_at IS NULL OR s.memberships_at <= excluded.memberships_at
"""
_CONSENTS = """
INSERT INTO customer_state (customer_id, consents, personalization, automated_decisions)
SELECT customer_id, consents::jsonb, personalization, automated
FROM unnest($1::text[], $2::text[], $3::boolean[], $4::boolean[])
    AS n (customer_id, consents, personalization, automated)
ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE
SET consents = excluded.consents, personalization = excluded.personalization,
    automated_decisions = excluded.automated_decisions
"""
_FLAGS = """
INSERT INTO customer_state (customer_id, flags)
SELECT customer_id, flags::jsonb
FROM unnest($1::text[], $2::text[]) AS n (customer_id, flags) ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET flags = excluded.flags
"""
_ASSESSMENTS = """
INSERT INTO customer_state (customer_id, risk_class, risk_valid_until)
SELECT * FROM unnest($1::text[], $2::smallint[], $3::timestamptz[]) AS n (customer_id) ORDER BY 1
ON CONFLICT (customer_id) DO UPDATE
SET risk_class = excluded.risk_class, risk_valid_until = excluded.risk_valid_until
"""
_OWNERSHIP = """
INSERT INTO customer_state (customer_id, org_path, rm_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS n (customer_id) ORDER BY 1
ON CONFLICT (customer_id) DO UPDATE SET org_path = excluded.org_path, rm_id = excluded.rm_id
"""
_COMPLAINTS = """
INSERT INTO customer_state AS s (customer_id, complaints)
SELECT customer_id, jsonb_object_agg(complaint_id, closed_at ORDER BY closed_at NULLS FIRST)
FROM unnest($1::text[], $2::text[], $3::text[]) AS n (customer_id, complaint_id, closed_at)
GROUP BY customer_id ORDER BY customer_id
ON CONFLICT (customer_id) DO UPDATE SET complaints = s.complaints || (
    SELECT jsonb_object_agg(key, CASE WHEN value = 'null' THEN coalesce(s.complaints -> key, value)
                                      ELSE value END)
    FROM jsonb_each(excluded.complaints))
"""
_LOCK_BOTH = """
SELECT customer_id, merged_into FROM customer_state
WHERE customer_id IN ($1, $2, (SELECT merged_into FROM customer_state WHERE customer_id = $1))
ORDER BY customer_id FOR UPDATE
"""
_SHARE = """
UPDATE customer_state AS s SET complaints = s.complaints || r.complaints
FROM customer_state AS r WHERE r.customer_id = $1 AND s.customer_id = $2
"""
_TAKE_BACK = """
WITH record AS (
    UPDATE customer_state AS r SET complaints = coalesce((
        SELECT jsonb_object_agg(key, s.complaints -> key)
        FROM jsonb_object_keys(r.complaints) AS key WHERE s.complaints ? key), '{}')
    FROM customer_state AS s WHERE r.customer_id = $1 AND s.customer_id = $2
    RETURNING r.complaints
)
UPDATE customer_state AS s
SET complaints = s.complaints - ARRAY(SELECT jsonb_object_keys(record.complaints))
FROM record WHERE s.customer_id = $2
"""


async def find(connection: asyncpg.Connection, customer_id: str) -> Customer | None:
    """Return a customer; of a record that was merged it is the one it is part of."""
    row = await connection.fetchrow(_STATE, customer_id)
    return None if row is None else to_customer(row)


async def lock(connection: asyncpg.Connection, customer_id: str) -> Customer | None:
    """Find a customer and let nobody else decide about them until the transaction ends."""
    known = customer_id
    while True:
        row = await connection.fetchrow(f"{_STATE} FOR UPDATE OF s", customer_id)
        if row is None:
            return None
        # the record may have been merged or parted while this waited for the lock
        if row["merged_into"] is None and row["customer_id"] == known:
            return to_customer(row)
        known = row["customer_id"]


async def survivors_of(
    connection: asyncpg.Connection, customer_ids: Sequence[str]
) -> dict[str, str]:
    """Return whom each record is part of: itself, unless it was merged."""
    rows = await connection.fetch(
        """SELECT g.customer_id, coalesce(s.merged_into, g.customer_id) AS survivor
           FROM unnest($1::text[]) AS g (customer_id)
           LEFT JOIN customer_state AS s USING (customer_id)""",
        customer_ids,
    )
    return {row["customer_id"]: row["survivor"] for row in rows}


async def set_survivor(
    connection: asyncpg.Connection, record: str, survivor: str | None
) -> list[str]:
    """Make a record part of a customer, or of nobody (None); return whom that concerns.

    Complaints of the record hold for the customer too; parted, it takes back how they stand.
    Whoever is locked here waits for contacts that are being decided, and they for this.
    """
    await connection.execute(
        """INSERT INTO customer_state (customer_id)
           SELECT id FROM unnest($1::text[]) AS id WHERE id IS NOT NULL ORDER BY id
           ON CONFLICT DO NOTHING""",
        [record, survivor],
    )
    rows = await connection.fetch(_LOCK_BOTH, record, survivor)
    before = next(row["merged_into"] for row in rows if row["customer_id"] == record)
    if before is not None and before != survivor:
        await connection.execute(_TAKE_BACK, record, before)
    if survivor is not None and before != survivor:
        await connection.execute(_SHARE, record, survivor)
    await connection.execute(
        "UPDATE customer_state SET merged_into = $2 WHERE customer_id = $1", record, survivor
    )
    return sorted({each for each in (record, before, survivor) if each is not None})


async def set_features(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, str, datetime]]
) -> None:
    """Take over features (customer, JSON object, as of), unless newer ones are here.

    Those that are null are left out: an unknown feature is one that is not there.
    """
    await connection.execute(_FEATURES, *_columns(rows, 3))


async def set_memberships(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, str, str, datetime]]
) -> None:
    """Take over levels and segments (JSON each), unless newer ones are here."""
    await connection.execute(_MEMBERSHIPS, *_columns(rows, 4))


async def set_consents(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, Sequence[Consent], bool, bool]]
) -> None:
    packed = [
        (customer_id, _json([_from_consent(c) for c in consents]), personal, automated)
        for customer_id, consents, personal, automated in rows
    ]
    await connection.execute(_CONSENTS, *_columns(packed, 4))


async def set_lapses(connection: asyncpg.Connection, purpose: str, lapses: Sequence[Lapse]) -> None:
    """Replace the lapses of a purpose."""
    await connection.execute("DELETE FROM consent_lapse WHERE purpose = $1", purpose)
    await connection.execute(
        "INSERT INTO consent_lapse SELECT $1, * FROM unnest($2::timestamptz[], $3::timestamptz[])",
        purpose,
        [each.before for each in lapses],
        [each.at for each in lapses],
    )


async def set_flags(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, Mapping[str, object]]]
) -> None:
    packed = [(customer_id, _json(flags)) for customer_id, flags in rows]
    await connection.execute(_FLAGS, *_columns(packed, 2))


async def set_assessments(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, int, datetime]]
) -> None:
    await connection.execute(_ASSESSMENTS, *_columns(rows, 3))


async def set_ownership(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, str | None, str | None]]
) -> None:
    await connection.execute(_OWNERSHIP, *_columns(rows, 3))


async def note_complaints(
    connection: asyncpg.Connection, rows: Sequence[tuple[str, str, str | None]]
) -> None:
    """Note complaints (customer, complaint, closed at or None); a closed one never reopens."""
    await connection.execute(_COMPLAINTS, *_columns(rows, 3))


async def set_silences(
    connection: asyncpg.Connection,
    customer_id: str,
    suppressions: Sequence[Suppression],
    impressions: Mapping[str, Sequence[date]],
) -> None:
    """Replace what keeps a customer's offers back."""
    await connection.execute(
        """INSERT INTO customer_state (customer_id, suppressions, impressions) VALUES ($1, $2, $3)
           ON CONFLICT (customer_id) DO UPDATE
           SET suppressions = excluded.suppressions, impressions = excluded.impressions""",
        customer_id,
        [_from_suppression(s) for s in suppressions],
        {action: [day.isoformat() for day in days] for action, days in impressions.items()},
    )


def to_customer(row: asyncpg.Record) -> Customer:
    """Return the customer of a row that has `COLUMNS`."""
    closed = row["complaints"].values()
    last_closed = max((at for at in closed if at is not None), default=None)
    return Customer(
        id=row["customer_id"],
        features=orjson.loads(row["features"]),
        features_at=row["features_at"],
        levels=row["levels"],
        segments=frozenset(row["segments"]),
        memberships_at=row["memberships_at"],
        consents=tuple(_to_consent(*item) for item in row["consents"]),
        personalization=row["personalization"],
        automated_decisions=row["automated_decisions"],
        flags=_to_flags(row["flags"]),
        risk_class=row["risk_class"],
        risk_valid_until=row["risk_valid_until"],
        complaints=Complaints(
            open=sum(at is None for at in closed),
            last_closed_at=None if last_closed is None else datetime.fromisoformat(last_closed),
        ),
        suppressions=tuple(_to_suppression(*item) for item in row["suppressions"]),
        impressions={
            action: tuple(map(date.fromisoformat, days))
            for action, days in row["impressions"].items()
        },
        org_path=row["org_path"],
        rm_id=row["rm_id"],
    )


def to_lapses(told: Sequence[Sequence[str]] | None) -> tuple[Lapse, ...]:
    """Return what `LAPSES` has read."""
    return tuple(
        Lapse(
            purpose=purpose,
            before=datetime.fromisoformat(before),
            at=datetime.fromisoformat(at),
        )
        for purpose, before, at in told or ()
    )


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [[row[place] for row in rows] for place in range(width)]


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _from_consent(consent: Consent) -> list[object]:
    return [consent.purpose, consent.channel, consent.is_granted, consent.at]


def _to_consent(purpose: str, channel: str, is_granted: bool, at: str) -> Consent:
    return Consent(
        purpose=purpose, channel=channel, is_granted=is_granted, at=datetime.fromisoformat(at)
    )


def _to_flags(flags: Mapping[str, object]) -> Flags:
    minor_until = flags.get("is_minor_until")
    return Flags(
        is_deceased=bool(flags.get("is_deceased")),
        is_frozen=bool(flags.get("is_frozen")),
        in_hardship=bool(flags.get("in_hardship")),
        in_collection=bool(flags.get("in_collection")),
        minor_until=None if minor_until is None else date.fromisoformat(str(minor_until)),
    )


def _from_suppression(suppression: Suppression) -> list[object]:
    return [
        suppression.scope,
        suppression.key,
        suppression.until,
        suppression.code,
        suppression.channel,
    ]


def _to_suppression(
    scope: str, key: str, until: str, code: str, channel: str | None
) -> Suppression:
    return Suppression(
        scope=Scope(scope),
        key=key,
        until=datetime.fromisoformat(until),
        code=code,
        channel=channel,
    )
