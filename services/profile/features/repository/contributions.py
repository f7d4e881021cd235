"""What a customer brought and cost in 365 days: lines, and the sums of them that features are.

A year moves slowly and takes many facts to add up. The sums stand in `contribution_sum`, written
in every run and whenever somebody asks for the lines; a change of the customer's own reads one row
by its key. `$2` is the bank's day, `$3` the instant.
"""

# ruff: noqa: S608 - built from this package and the catalogue alone
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal

import asyncpg

from services.profile.features.domain import Amount, Side
from services.profile.features.repository.sources import (
    ACCOUNTS,
    AS_OF,
    ASSET,
    ASSETS,
    DAY,
    ONLINE,
    any_of,
    steps,
)
from services.profile.vocabulary import Driver, contribution

_RATES = contribution()
_YEAR = f"day > {DAY} - 365 AND day <= {DAY}"
_BALANCED = any_of(*dict.fromkeys([*ASSETS, *_RATES.balances]))
_LENT = any_of(*(rates.key for rates in _RATES.balances.values() if rates.risk))
_IS_LATE = f"category = {_LENT} AND coalesce(overdue_since <= {DAY} - {_RATES.overdue_days}, false)"
_STEPS = steps(
    f"category = {_BALANCED}",
    {"category": "category", "asset": f"category = {ASSET}", "is_late": _IS_LATE},
    365,
)


def _percent(rates: Iterable[tuple[str, Decimal]]) -> str:
    known = " ".join(f"WHEN '{category}' THEN {percent}" for category, percent in rates if percent)
    return f"CASE category {known} ELSE 0 END"


_SPREAD = _percent((each.key, each.spread) for each in _RATES.balances.values())
_RISK = _percent((each.key, each.risk) for each in _RATES.balances.values())

# Category by category, what is long overdue apart, each in whole fen: the lines then add up.
_HELD = f"""
SELECT category, is_late, days, round(days * {_SPREAD} / 36500) AS earned,
       round(days * CASE WHEN is_late THEN {_RATES.overdue_risk} ELSE {_RISK} END / 36500) AS lost
FROM (
    SELECT category, is_late, sum(balance * (until - greatest(since, {DAY} - 364))) AS days
    FROM step WHERE until > {DAY} - 364 GROUP BY category, is_late
) AS x
"""

_DONE = f"""
SELECT sum(fees) AS fees, sum(benefits) AS benefits, sum(logins) AS logins,
       sum(transactions) FILTER (WHERE channel = 'branch') AS branch_transactions,
       sum(transactions) FILTER (WHERE channel = {ONLINE}) AS online_transactions,
       sum(rm_visits) AS visits, sum(rm_minutes) AS rm_minutes, sum(remote_calls) AS remote_calls,
       max(day) FILTER (WHERE salary > 0 AND day <= {DAY} - 30) AS last_salary
FROM party_activity_day WHERE customer_id = t.customer_id AND {_YEAR}
"""
_SPENT = f"""
SELECT sum(amount) AS amount FROM party_card_day WHERE customer_id = t.customer_id AND {_YEAR}
"""
_INSURED = f"""
SELECT sum(amount) AS premiums FROM party_holding
WHERE customer_id = t.customer_id AND category = 'insurance'
  AND opened_at > {DAY} - 365 AND opened_at <= {DAY}
"""
_KEPT = f"""
SELECT sum(least(closed_at, {DAY} + 1) - greatest(opened_at, {DAY} - 364)) AS days
FROM party_account
WHERE customer_id = t.customer_id AND role = 'owner' AND opened_at <= {DAY}
  AND (closed_at IS NULL OR closed_at > {DAY} - 364)
"""
_CONTACTED = ", ".join(
    f"count(*) FILTER (WHERE channel = '{key}') AS {key}" for key in _RATES.contacts
)
_SENT = f"""
SELECT {_CONTACTED} FROM party_touch
WHERE customer_id = t.customer_id AND kind = 'contact' AND type = 'contact_confirmed'
  AND occurred_at > {AS_OF} - interval '365 days' AND occurred_at <= {AS_OF}
"""
_FACTS = f"""
customer AS t
CROSS JOIN LATERAL ({ACCOUNTS}) AS a
CROSS JOIN LATERAL ({_DONE}) AS d
CROSS JOIN LATERAL ({_SPENT}) AS c
CROSS JOIN LATERAL ({_INSURED}) AS i
CROSS JOIN LATERAL ({_KEPT}) AS k
CROSS JOIN LATERAL ({_SENT}) AS o
"""

# How much there was of what earns (amounts in fen) and of what costs (units), by the driver's key.
_EARNING = {"card_spend": "c.amount", "first_premium": "i.premiums", "fees": "d.fees"}
_COSTING = {
    "branch_transaction": "d.branch_transactions",
    "visit": "d.visits",
    "rm_minute": "d.rm_minutes",
    "remote_call": "d.remote_calls",
    "login": "d.logins",
    "online_transaction": "d.online_transactions",
    "account_month": "k.days * 12 / 365.0",
    "benefit": "d.benefits / 100.0",
}


def _lines(
    side: Side, drivers: Mapping[str, Driver], found: Mapping[str, str], *, divisor: int, fen: int
) -> str:
    """Return rows of side, key, quantity and fen: quantity x rate x `fen` / `divisor`."""
    if drivers.keys() != found.keys():
        raise ValueError(f"contribution.yaml: just {', '.join(found)} can be reckoned with")
    return ", ".join(
        f"('{side}', '{key}', coalesce({quantity}, 0) / {divisor}.0, "
        f"round(coalesce({quantity}, 0) * {drivers[key].rate * fen / divisor}))"
        for key, quantity in found.items()
    )


_SENT_BY = {key: f"o.{key}" for key in _RATES.contacts}
_PARTS = f"""
SELECT '{Side.REVENUE}' AS side, category AS key, days / 36500.0 AS quantity, earned AS fen
FROM held
UNION ALL
SELECT '{Side.RISK}', CASE WHEN is_late THEN 'overdue' ELSE category END, days / 36500.0, lost
FROM held WHERE lost <> 0
UNION ALL
VALUES {_lines(Side.REVENUE, _RATES.once, _EARNING, divisor=100, fen=1)},
       {_lines(Side.COST, _RATES.costs, _COSTING, divisor=1, fen=100)},
       {_lines(Side.COST, _RATES.contacts, _SENT_BY, divisor=1, fen=100)}
"""
_WITH_HELD = f"WITH step AS MATERIALIZED ({_STEPS}), held AS MATERIALIZED ({_HELD})"
_LIST = f"""
SELECT side, key, sum(quantity) AS quantity, sum(fen)::bigint AS fen
FROM {_FACTS}
CROSS JOIN LATERAL ({_WITH_HELD} {_PARTS}) AS part
WHERE t.customer_id = $1 AND a.opened IS NOT NULL AND quantity <> 0
GROUP BY side, key ORDER BY side, sum(fen) DESC, key
"""

# Of a salary is still there what AUM never fell below until 30 days later, over the day before:
# money that came afterwards does not make up for what had gone.
_SALARIES = 3
_LEVELS = """
SELECT day, sum(sum(change)) OVER (ORDER BY day) AS aum
FROM (
    SELECT since AS day, balance AS change FROM step WHERE asset
    UNION ALL
    SELECT until, -balance FROM step WHERE asset
) AS changes
GROUP BY day
"""
_STAYED = f"""
SELECT avg(greatest(0, least(1, (stood.lowest - coalesce(stood.before, 0)) / s.salary)))::float8
FROM (
    SELECT day, sum(salary) AS salary FROM party_activity_day
    WHERE customer_id = t.customer_id AND {_YEAR} AND day <= {DAY} - 30 AND salary > 0
    GROUP BY day ORDER BY day DESC LIMIT {_SALARIES}
) AS s
CROSS JOIN LATERAL (
    SELECT (array_agg(aum ORDER BY day DESC) FILTER (WHERE day < s.day))[1] AS before,
           least(min(aum) FILTER (WHERE day > s.day),
                 coalesce((array_agg(aum ORDER BY day DESC) FILTER (WHERE day <= s.day))[1], 0))
               AS lowest
    FROM level WHERE day <= s.day + 30
) AS stood
WHERE d.last_salary IS NOT NULL
"""

_SUMS = ("revenue", "cost_to_serve", "risk_cost", "salary_retention")
ADD_UP = f"""
INSERT INTO contribution_sum AS s (customer_id, {", ".join(_SUMS)})
SELECT t.customer_id, coalesce(revenue, 0), coalesce(cost, 0), coalesce(risk, 0), retention
FROM {_FACTS}
CROSS JOIN LATERAL (
    {_WITH_HELD}, level AS MATERIALIZED ({_LEVELS})
    SELECT sum(fen) FILTER (WHERE side = '{Side.REVENUE}') AS revenue,
           sum(fen) FILTER (WHERE side = '{Side.COST}') AS cost,
           sum(fen) FILTER (WHERE side = '{Side.RISK}') AS risk,
           ({_STAYED}) AS retention
    FROM ({_PARTS}) AS part
) AS y
WHERE t.customer_id = ANY ($1::text[]) AND a.opened IS NOT NULL
ORDER BY t.customer_id
ON CONFLICT (customer_id) DO UPDATE
SET {", ".join(f"{name} = excluded.{name}" for name in _SUMS)}
WHERE ({", ".join(f"s.{name}" for name in _SUMS)})
   IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _SUMS)})
"""


async def list_parts(
    connection: asyncpg.Connection, customer_id: str, *, day: date, as_of: datetime
) -> list[Amount]:
    """Return what a customer brought and cost, the largest of each side first."""
    rows = await connection.fetch(_LIST, customer_id, day, as_of)
    return [
        Amount(side=Side(row["side"]), key=row["key"], quantity=row["quantity"], fen=row["fen"])
        for row in rows
    ]
