"""Where features come from: one row per customer and source, each an index range of its table.

Every source is a LATERAL subquery over the facts of one customer `t`, so that the cost is linear
in customers whatever the planner believes about their number. The views `party_…` add to a
customer's own facts those of the records merged into it. `$2` is the bank's day, `$3` the
instant. The last N days are the day itself and the N - 1 days before.
"""

# ruff: noqa: S608 - built from this module and the catalogue alone
from collections.abc import Mapping

from services.profile.vocabulary import categories

DAY = "$2::date"
AS_OF = "$3::timestamptz"
PEAK_WINDOWS = 24
WINDOW_DAYS = 30
_REACH = PEAK_WINDOWS * WINDOW_DAYS - 1


SHARED = (
    "account",
    "holding",
    "balance",
    "activity_day",
    "card_day",
    "counterparty_day",
    "declared_day",
    "complaint",
    *("identifier", "kyc_value", "goal"),
)
"""The tables whose views `party_…` add up what all records of a customer have."""


def any_of(*keys: str) -> str:
    return f"ANY ('{{{','.join(keys)}}}'::text[])"


ASSETS = [category.key for category in categories().values() if category.asset]
ASSET = any_of(*ASSETS)
_DEPOSIT = any_of(*(c.key for c in categories().values() if c.flow == "deposit"))
_LOAN = any_of(*(c.key for c in categories().values() if c.flow == "loan"))
ONLINE = any_of("app", "wechat", "ebank", "web")

ACCOUNTS = f"""
SELECT min(opened_at) AS opened,
       {DAY} - min(opened_at) AS tenure,
       count(*) FILTER (WHERE closed_at IS NULL OR closed_at > {DAY}) AS open_accounts
FROM party_account WHERE customer_id = t.customer_id AND role = 'owner' AND opened_at <= {DAY}
"""

_HELD_NOW = ",\n".join(f"bool_or(held AND category = '{key}') AS has_{key}" for key in categories())
_TOP_CATEGORY = ", ".join(f"sum(now) FILTER (WHERE held AND category = '{key}')" for key in ASSETS)
HOLDINGS = f"""
SELECT count(DISTINCT category) FILTER (WHERE held AND category <> 'demand_deposit') AS products,
       count(DISTINCT category) FILTER (WHERE held AND asset AND category <> 'demand_deposit')
           AS asset_products,
       min(opened_at) FILTER (WHERE category <> 'demand_deposit') AS first_product,
       coalesce(sum(now) FILTER (WHERE held AND asset), 0) AS aum,
       coalesce(sum(before), 0) AS aum_before,
       coalesce(sum(now) FILTER (WHERE held AND category = {_DEPOSIT}), 0) AS deposits,
       coalesce(sum(now) FILTER (WHERE held AND category = 'demand_deposit'), 0) AS demand,
       greatest({_TOP_CATEGORY}) AS top_category,
       min(matures_at) FILTER (WHERE held AND asset AND matures_at >= {DAY}) AS next_maturity,
       sum(coalesce(now, amount)) FILTER (
           WHERE held AND asset AND matures_at BETWEEN {DAY} AND {DAY} + 30) AS maturing,
       min(matures_at) FILTER (WHERE asset AND category <> 'demand_deposit'
           AND matures_at > {DAY} - 60 AND matures_at <= {DAY} - 30) AS first_matured,
       sum(now) FILTER (WHERE held AND category = {_LOAN}) AS loans,
       sum(now) FILTER (WHERE held AND category = 'mortgage') AS mortgages,
       sum(line) FILTER (WHERE held) AS lines,
       sum(now) FILTER (WHERE held AND line > 0) AS used,
       min(matures_at) FILTER (WHERE held AND line > 0 AND matures_at >= {DAY}) AS line_expiry,
       max(opened_at) FILTER (WHERE held AND category = 'credit_card') AS card_issued,
       bool_or(held AND category = 'credit_card' AND status = 'activated') AS card_marked_active,
       count(*) FILTER (WHERE held AND category = 'quick_pay') AS bindings,
       sum(amount) FILTER (WHERE category = 'bill' AND opened_at > {DAY} - 365) AS bills,
       max({DAY} - overdue_since) FILTER (WHERE held AND overdue_since <= {DAY}) AS overdue,
       {_HELD_NOW}
FROM (
    SELECT h.category, h.opened_at, h.matures_at, h.amount, h.credit_line AS line, h.status,
           h.overdue_since,
           h.closed_at IS NULL OR h.closed_at > {DAY} AS held,
           h.category = {ASSET} AS asset,
           now.balance AS now,
           before.balance AS before
    FROM party_holding AS h
    LEFT JOIN LATERAL (
        SELECT balance FROM party_balance AS b
        WHERE b.customer_id = t.customer_id AND b.holding_id = h.holding_id AND b.day <= {DAY}
        ORDER BY day DESC LIMIT 1
    ) AS now ON true
    LEFT JOIN LATERAL (
        SELECT balance FROM party_balance AS b
        WHERE b.customer_id = t.customer_id AND b.holding_id = h.holding_id AND b.day <= {DAY} - 30
          AND h.category = {ASSET} AND (h.closed_at IS NULL OR h.closed_at > {DAY} - 30)
          AND a.opened <= {DAY} - 30
        ORDER BY day DESC LIMIT 1
    ) AS before ON true
    WHERE h.customer_id = t.customer_id AND h.opened_at <= {DAY}
) AS x
"""

# The day-end balances form a step function. A `step` is a stretch of days [since, until) on which
# one holding's day-end balance stood still; `total` is what the day-ends of a window add up to.
AVERAGES = f"""
SELECT w.*, y.*
FROM (
    SELECT max(total / least({WINDOW_DAYS}, a.tenure - {WINDOW_DAYS} * k + 1)) AS highest,
           count(*) AS windows,
           sum(total) FILTER (WHERE k = 0) AS month,
           sum(total) FILTER (WHERE k < 3) AS quarter,
           sum(total) FILTER (WHERE k BETWEEN 3 AND 5) AS previous
    FROM (
        SELECT k, sum(balance * (least(until, {DAY} - {WINDOW_DAYS} * k + 1)
                      - greatest(since, {DAY} - {WINDOW_DAYS} * k - {WINDOW_DAYS - 1})))::float8
                  AS total
        FROM (
            SELECT *, generate_series(
                ({DAY} - until + 1) / {WINDOW_DAYS}, ({DAY} - since) / {WINDOW_DAYS}) AS k
            FROM step
        ) AS part
        GROUP BY k
    ) AS by_window
) AS w,
(
    SELECT sum(balance * (until - greatest(since, {DAY} - 364)))::float8 AS deposit_year
    FROM step WHERE deposit AND until > {DAY} - 364
) AS y
"""


def steps(categories: str, columns: Mapping[str, str], reach: int) -> str:
    """Return the steps of the last `reach` days and today of holdings of some categories.

    Args:
        categories: SQL of a condition.
        columns: SQL by name of what each step bears besides.
        reach: in days.
    """
    borne = ", ".join(f"{sql} AS {name}" for name, sql in columns.items())
    return f"""
SELECT {", ".join(columns)}, balance, greatest(day, a.opened, {DAY} - {reach}) AS since,
       least(next, h.closed_at, {DAY} + 1) AS until
FROM (
    SELECT holding_id, closed_at, {borne} FROM party_holding
    WHERE customer_id = t.customer_id AND {categories} AND opened_at <= {DAY}
) AS h
CROSS JOIN LATERAL (
    SELECT day, balance, lead(day) OVER (ORDER BY day) AS next
    FROM (
        (SELECT day, balance FROM party_balance AS b
         WHERE b.customer_id = t.customer_id AND b.holding_id = h.holding_id
           AND b.day <= {DAY} - {reach}
         ORDER BY day DESC LIMIT 1)
        UNION ALL
        SELECT day, balance FROM party_balance AS b
        WHERE b.customer_id = t.customer_id AND b.holding_id = h.holding_id
          AND b.day > {DAY} - {reach} AND b.day <= {DAY}
    ) AS points
) AS p
WHERE greatest(day, a.opened, {DAY} - {reach}) < least(next, h.closed_at, {DAY} + 1)
  AND a.opened IS NOT NULL
"""


STEPS = steps(f"category = {ASSET}", {"deposit": f"category = {_DEPOSIT}"}, _REACH)

# What matured 30 to 60 days ago, less what was opened in the 30 days after each maturity.
UNRENEWED = f"""
SELECT greatest(0, coalesce(sum(worth) FILTER (WHERE has_matured), 0)
                   - coalesce(sum(worth) FILTER (WHERE is_renewal), 0)) AS unrenewed
FROM (
    SELECT coalesce(h.amount, first.balance) AS worth,
           matures_at > {DAY} - 60 AND matures_at <= {DAY} - 30 AS has_matured,
           EXISTS (
               SELECT FROM party_holding AS m
               WHERE m.customer_id = t.customer_id AND m.category = {ASSET}
                 AND m.category <> 'demand_deposit' AND m.opened_at <= {DAY}
                 AND m.matures_at > {DAY} - 60 AND m.matures_at <= {DAY} - 30
                 AND m.holding_id <> h.holding_id
                 AND h.opened_at BETWEEN m.matures_at AND m.matures_at + 30) AS is_renewal
    FROM party_holding AS h
    LEFT JOIN LATERAL (
        SELECT balance FROM party_balance AS b
        WHERE b.customer_id = t.customer_id AND b.holding_id = h.holding_id AND b.day <= {DAY}
        ORDER BY day LIMIT 1
    ) AS first ON true
    WHERE h.customer_id = t.customer_id AND h.opened_at <= {DAY} AND h.category = {ASSET}
      AND h.category <> 'demand_deposit' AND own.first_matured IS NOT NULL
) AS x
"""


def _last(days: int) -> str:
    return f"day > {DAY} - {days}"


_RM_CONTACTS = "rm_visits + rm_talks + CASE channel WHEN 'rm' THEN initiated ELSE 0 END"
ACTIVITY = f"""
SELECT count(DISTINCT day) FILTER (WHERE initiated > 0) AS active_365,
       count(DISTINCT day) FILTER (WHERE initiated > 0 AND {_last(90)}) AS active_90,
       count(DISTINCT day) FILTER (WHERE initiated > 0 AND {_last(30)}) AS active_30,
       count(DISTINCT day) FILTER (WHERE initiated > 0 AND {_last(180)} AND NOT {_last(90)})
           AS active_prev_90,
       max(day) FILTER (WHERE initiated > 0) AS active,
       max(day) FILTER (WHERE logins > 0) AS login,
       sum(initiated) AS initiated,
       sum(initiated) FILTER (WHERE channel = {ONLINE}) AS online,
       sum({_RM_CONTACTS}) AS rm_365,
       sum({_RM_CONTACTS}) FILTER (WHERE {_last(90)}) AS rm_90,
       sum(messages) FILTER (WHERE channel = 'wechat' AND {_last(90)}) AS wechat_90,
       sum(logins) FILTER (WHERE {_last(30)}) AS logins_30,
       sum(logins) FILTER (WHERE {_last(90)}) AS logins_90,
       sum(transactions) FILTER (WHERE {_last(90)}) AS transactions,
       sum(transaction_amount) FILTER (WHERE {_last(90)}) AS transaction_amount,
       sum(inflow) FILTER (WHERE {_last(30)}) AS inflow_30,
       sum(inflow) FILTER (WHERE {_last(90)}) AS inflow_90,
       sum(outflow) FILTER (WHERE {_last(30)}) AS outflow_30,
       sum(outflow) FILTER (WHERE {_last(90)}) AS outflow_90,
       sum(self_outflow) FILTER (WHERE {_last(90)}) AS self_outflow,
       max(largest_inflow) FILTER (WHERE {_last(90)}) AS largest_inflow,
       sum(salary) FILTER (WHERE {_last(90)}) AS salary,
       sum(pension) FILTER (WHERE {_last(90)}) AS pension,
       sum(purchases) AS purchases,
       sum(fund_trades) FILTER (WHERE {_last(90)}) AS fund_trades,
       sum(visits) AS visits,
       sum(product_views) FILTER (WHERE {_last(7)}) AS product_views,
       sum(abandoned) FILTER (WHERE {_last(7)}) AS abandoned,
       sum(contents) AS contents_365,
       sum(contents) FILTER (WHERE {_last(30)}) AS contents_30,
       sum(activities) AS activities_365,
       sum(activities) FILTER (WHERE {_last(180)}) AS activities_180,
       sum(settlement_in) AS received_365,
       sum(settlement_in + settlement_out) FILTER (WHERE {_last(90)}) AS settled_90,
       sum(settlement_in + settlement_out) FILTER (WHERE {_last(180)} AND NOT {_last(90)})
           AS settled_prev_90,
       max(headcount) FILTER (WHERE {_last(90)}) AS headcount,
       max(headcount) FILTER (WHERE {_last(180)} AND NOT {_last(90)}) AS headcount_before,
       sum(fx) AS fx,
       sum(minutes) AS minutes,
       sum(rm_visits) FILTER (WHERE {_last(90)}) AS rm_visits_90,
       sum(bids_won) AS bids_won
FROM party_activity_day
WHERE customer_id = t.customer_id AND {_last(365)} AND day <= {DAY}
"""


def _latest(measure: str, recent: str) -> str:
    """The last day on which it happened: of the last year if in it, else found before."""
    return f"""
        coalesce({recent}, (
            SELECT day FROM party_activity_day
            WHERE customer_id = t.customer_id AND day <= {DAY} - 365 AND {measure} > 0
            ORDER BY day DESC LIMIT 1))"""


LATEST = f"""
SELECT {_latest("initiated", "d.active")} AS active,
       {_latest("logins", "d.login")} AS login,
       (SELECT channel FROM party_activity_day
        WHERE customer_id = t.customer_id AND {_last(365)} AND day <= {DAY}
          AND initiated > 0 AND channel <> ''
        GROUP BY channel ORDER BY sum(initiated) DESC, channel LIMIT 1) AS channel,
       (SELECT max(credit_stage) FROM party_activity_day
        WHERE customer_id = t.customer_id AND credit_stage > 0 AND day <= {DAY}) AS credit_stage,
       d.purchases > 0 AND NOT EXISTS (
           SELECT FROM party_activity_day
           WHERE customer_id = t.customer_id AND day <= {DAY} - 365 AND purchases > 0
       ) AS bought_first
"""

CARDS = f"""
SELECT sum(amount) FILTER (WHERE {_last(30)}) AS spend_30,
       sum(amount) FILTER (WHERE {_last(90)}) AS spend_90,
       sum(amount) FILTER (WHERE {_last(180)} AND NOT {_last(90)}) AS spend_prev_90,
       sum(spends) FILTER (WHERE motive = 'car') AS car_spends,
       (SELECT motive FROM party_card_day
        WHERE customer_id = t.customer_id AND {_last(90)} AND day <= {DAY} AND motive <> ''
        GROUP BY motive ORDER BY sum(amount) DESC, motive LIMIT 1) AS motive,
       (SELECT sum(amount) FROM party_card_day
        WHERE customer_id = t.customer_id AND {_last(90)} AND day <= {DAY} AND motive <> ''
        GROUP BY motive ORDER BY sum(amount) DESC, motive LIMIT 1) AS motive_spend,
       (SELECT bool_or(true) FROM party_card_day
        WHERE customer_id = t.customer_id AND day BETWEEN own.card_issued AND {DAY}) AS is_used
FROM party_card_day
WHERE customer_id = t.customer_id AND {_last(365)} AND day <= {DAY}
"""

PARTNERS = f"""
SELECT count(*) FILTER (WHERE kind = 'paid' AND payments >= 2) AS upstream,
       count(*) FILTER (WHERE kind = 'paying' AND payments >= 2) AS downstream,
       count(*) FILTER (WHERE kind = 'auto_pay' AND last > {DAY} - 90) AS auto_pay,
       count(*) FILTER (WHERE kind <> 'auto_pay' AND payments >= 2 AND is_here) AS here
FROM (
    SELECT kind, sum(payments) AS payments, max(day) AS last,
           EXISTS (SELECT FROM customer AS o WHERE o.customer_id = counterparty
                     AND o.created_at <= {AS_OF}) AS is_here
    FROM party_counterparty_day
    WHERE customer_id = t.customer_id AND {_last(365)} AND day <= {DAY}
    GROUP BY kind, counterparty
) AS x
"""

# Of a party the latest assessment since its records were merged counts; before there is one, the
# lowest class that any record's own latest gave then: a merge never widens the shelf.
ASSESSMENTS = f"""
SELECT risk_class, valid_until > {AS_OF} AS is_valid, assessed_at FROM (
    SELECT DISTINCT ON (record) risk_class, valid_until, assessed_at
    FROM party_assessment WHERE customer_id = t.customer_id AND assessed_at <= {AS_OF}
    ORDER BY record, assessed_at DESC
) AS x
ORDER BY assessed_at >= t.merged_at DESC, valid_until > t.merged_at DESC, risk_class,
         assessed_at DESC
LIMIT 1
"""

COMPLAINTS = f"""
SELECT count(*) FILTER (WHERE opened_at > {AS_OF} - interval '365 days') AS opened,
       coalesce(bool_or(closed_at IS NULL OR closed_at > {AS_OF}), false) AS is_open
FROM party_complaint WHERE customer_id = t.customer_id AND opened_at <= {AS_OF}
"""

CONSENTS = """
SELECT coalesce(bool_or(purpose = 'marketing' AND state = 'granted'), false) AS marketing,
       coalesce(bool_or(purpose = 'personalization' AND channel = 'all' AND state = 'withdrawn'),
                false) AS not_personal
FROM consent WHERE customer_id = t.customer_id
"""
