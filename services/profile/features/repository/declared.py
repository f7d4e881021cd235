"""Features that the bank declares, as SQL over data: a new one needs no statement of its own.

`declared_feature` says which events count, `declared_day` holds what each day of them adds up to
(decision 0021). Nothing that a bank writes becomes SQL: a condition is a jsonpath over one event as
a document, which can neither call nor write, and its values are variables.
"""

# ruff: noqa: S608 - built from this module alone
from collections.abc import Sequence

import asyncpg

from services.profile.features.domain import FEATURES, Aggregate, Declared, FeatureValue
from services.profile.features.repository.sources import DAY

LARGEST = 10**15
"""A number beyond it is not believed: it is left out."""
DECIMALS = 9

_LATER = "excluded.latest_at, excluded.latest_sequence, excluded.latest_id"
_KEPT = "d.latest_at, d.latest_sequence, d.latest_id"
_OF_LATEST = ("latest", "latest_at", "latest_sequence", "latest_id")
COLUMNS = ("customer_id", "feature", "day", "events", "total", "lowest", "highest", *_OF_LATEST)


def _latest(value: str) -> str:
    order = "e.occurred_at DESC, coalesce(e.sequence, -1) DESC, e.event_id DESC"
    return f"(array_agg({value} ORDER BY {order}) FILTER (WHERE f.aggregate = 'last'))[1]"


def tally(events: str, *, owner: str, features: str = "f.state <> 'deleting'") -> str:
    """Return the SQL of what events add up to by day, in `COLUMNS`; `$2` is the bank's zone.

    Args:
        events: a table or subquery, `e` in the other.
        owner: whom the days are of.
        features: which of the declared features `f`.
    """
    return f"""
    SELECT {owner} AS customer_id, f.name AS feature, (e.occurred_at AT TIME ZONE $2)::date AS day,
           count(*) AS events, sum(m.value) AS total, min(m.value) AS lowest,
           max(m.value) AS highest, {_latest("m.value")} AS latest,
           {_latest("e.occurred_at")} AS latest_at,
           {_latest("coalesce(e.sequence, -1)")} AS latest_sequence,
           {_latest("e.event_id")} AS latest_id
    FROM (
        SELECT e.*, jsonb_strip_nulls(jsonb_build_object('amount', amount, 'channel', channel,
                   'direction', direction, 'purpose', purpose, 'data', data)) AS document
        FROM {events} AS e WHERE type IN (SELECT type FROM declared_feature) OFFSET 0
    ) AS e
    JOIN declared_feature AS f ON f.type = e.type AND {features}
    CROSS JOIN LATERAL (
        SELECT CASE WHEN jsonb_typeof(e.document #> f.measure) = 'number'
                    THEN round((e.document #> f.measure)::numeric, {DECIMALS}) END AS value OFFSET 0
    ) AS m
    WHERE (f.measure IS NULL OR abs(m.value) <= {LARGEST})
      AND (f.condition IS NULL OR jsonb_path_match(e.document, f.condition::jsonpath, f.terms))
    GROUP BY 1, 2, 3"""


ADD = f"""
    ON CONFLICT (customer_id, feature, day) DO UPDATE
    SET events = d.events + excluded.events, total = d.total + excluded.total,
        lowest = least(d.lowest, excluded.lowest), highest = greatest(d.highest, excluded.highest),
        {
    ", ".join(
        f"{name} = CASE WHEN ({_LATER}) > ({_KEPT}) THEN excluded.{name} ELSE d.{name} END"
        for name in _OF_LATEST
    )
}"""
"""What newly recorded events add to the days `d` that are there."""


def _days(value: str, order: str = "") -> str:
    return f"""(
        SELECT {value} FROM party_declared_day AS d
        WHERE d.customer_id = t.customer_id AND d.feature = f.name AND d.day <= {DAY}
          AND d.day > coalesce({DAY} - f.window_days, '-infinity') {order})"""


def _number(value: str) -> str:
    """Money leaves fen here, as it does in the shipped features."""
    return f"""to_jsonb(
        (CASE WHEN f.measure = '{{amount}}' THEN round({value}) / 100 ELSE {value} END)::float8)"""


def _of_customers(value: str) -> str:
    return f"CASE WHEN a.opened IS NOT NULL THEN {value} END"


_LAST = _days(
    "d.latest",
    "ORDER BY d.day DESC, d.latest_at DESC, d.latest_sequence DESC, d.latest_id DESC LIMIT 1",
)
_VALUES = {
    "count": _of_customers(f"to_jsonb({_days('coalesce(sum(d.events), 0)')})"),
    "days": _of_customers(f"to_jsonb({_days('count(DISTINCT d.day)')})"),
    "days_since": f"to_jsonb({DAY} - {_days('max(d.day)')})",
    "sum": _of_customers(_number(_days("coalesce(sum(d.total), 0)"))),
    "mean": _number(_days("sum(d.total) / sum(d.events)")),
    "min": _number(_days("min(d.lowest)")),
    "max": _number(_days("max(d.highest)")),
    "last": _number(_LAST),
}


def _covers(feature: str, customer_id: str) -> str:
    """A feature that is being filled is had by those customers who were reached."""
    is_reached = f"{feature}.state = 'backfilling' AND {customer_id} <= {feature}.filled_to"
    return f"({feature}.state = 'live' OR {is_reached})"


ANSWER = f"""
SELECT jsonb_object_agg(f.name, CASE f.aggregate
    {" ".join(f"WHEN '{name}' THEN {value}" for name, value in _VALUES.items())} END) AS declared
FROM declared_feature AS f WHERE {_covers("f", "t.customer_id")}
"""
"""All declared features of a customer `t`, who has had an account since `a.opened`."""


def shown(row: str) -> str:
    """Return the SQL of the declared features that a stored row may still show."""
    return f"""(
        SELECT jsonb_object_agg(g.name, {row}.declared -> g.name)
        FROM declared_feature AS g WHERE {_covers("g", f"{row}.customer_id")})"""


STORED = f"""f.customer_id, f.as_of, {", ".join(f"f.{name}" for name in FEATURES)},
       {shown("f")} AS declared"""
"""What a row `f` of features shows."""
_IS_UNSETTLED = "SELECT EXISTS (SELECT FROM declared_feature WHERE state <> 'live')"
_RECORD = """
record AS MATERIALIZED (
    SELECT customer_id FROM customer WHERE customer_id = ANY ($1::text[])
    UNION ALL SELECT customer_id FROM customer WHERE merged_into = ANY ($1::text[])
)"""
_FORGET = f"""
WITH {_RECORD}
DELETE FROM declared_day AS d USING record AS r, declared_feature AS f
WHERE d.customer_id = r.customer_id AND d.feature = f.name AND f.state <> 'live'
"""
_EVENTS = "(SELECT e.* FROM record AS r JOIN event AS e ON e.customer_id = r.customer_id)"
_COUNT = f"""
WITH {_RECORD}
INSERT INTO declared_day ({", ".join(COLUMNS)})
{tally(_EVENTS, owner="e.customer_id", features="f.state = 'backfilling'")}
ORDER BY 1, 2, 3
"""


def joined(row: asyncpg.Record) -> dict[str, FeatureValue]:
    """Return all features of a row: the shipped ones, then those `declared`."""
    return {name: row[name] for name in FEATURES} | (row["declared"] or {})


async def count_anew(
    connection: asyncpg.Connection, customer_ids: Sequence[str], zone: str
) -> None:
    """Add up from events what features that are being filled count; forget what gone ones did.

    The caller has locked the customers, so that nobody records an event of theirs meanwhile.
    """
    if await connection.fetchval(_IS_UNSETTLED):
        await connection.execute(_FORGET, customer_ids)
        await connection.execute(_COUNT, customer_ids, zone)


async def fill_to(connection: asyncpg.Connection, run_id: str, customer_id: str) -> bool:
    """Note that this run has reached customers up to this one; tell whether it fills anything."""
    rows = await connection.fetch(
        "UPDATE declared_feature SET filled_to = $2 WHERE run_id = $1 RETURNING name",
        run_id,
        customer_id,
    )
    return bool(rows)


async def settle(connection: asyncpg.Connection, run_id: str) -> None:
    """What a run has filled is live, what it has emptied is gone."""
    await connection.execute(
        "DELETE FROM declared_feature WHERE run_id = $1 AND state = 'deleting'", run_id
    )
    await connection.execute(
        "UPDATE declared_feature SET state = 'live', run_id = NULL WHERE run_id = $1", run_id
    )


async def find_waiting_run(connection: asyncpg.Connection) -> str | None:
    """Return a run to fill features that has not begun, nor will until the caller ends."""
    return await connection.fetchval(
        """SELECT run_id FROM feature_run
           WHERE state = 'queued' AND run_id IN (SELECT run_id FROM declared_feature)
           LIMIT 1 FOR UPDATE"""
    )


async def list_all(connection: asyncpg.Connection) -> list[Declared]:
    """Return the features that the bank has declared, by name."""
    rows = await connection.fetch(
        """SELECT name, aggregate, body ->> 'ground' AS ground FROM declared_feature
           WHERE state <> 'deleting' ORDER BY name"""
    )
    return [Declared(row["name"], Aggregate(row["aggregate"]).kind, row["ground"]) for row in rows]
