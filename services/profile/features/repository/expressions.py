"""Every feature as one SQL expression over the sources (domain guide, section 2).

Counts and sums are 0 once there is an account and NULL before; a ratio whose denominator is 0 is
NULL. Money leaves fen here: features are yuan, rounded to fen.
"""

from collections.abc import Mapping

from services.profile.features.domain import CREDIT_STAGES, FEATURES, Kind
from services.profile.features.repository.sources import DAY, PEAK_WINDOWS, WINDOW_DAYS
from services.profile.vocabulary import categories, cost_pressures


def _count(value: str) -> str:
    return f"CASE WHEN a.opened IS NOT NULL THEN coalesce({value}, 0)::int END"


def _yuan(fen: str) -> str:
    return f"round(({fen})::float8) / 100"


def _sum(fen: str) -> str:
    return f"CASE WHEN a.opened IS NOT NULL THEN {_yuan(f'coalesce({fen}, 0)')} END"


def _ratio(part: str, whole: str) -> str:
    return f"({part})::float8 / nullif(({whole})::float8, 0)"


def _share(part: str, whole: str) -> str:
    return f"CASE WHEN a.opened IS NOT NULL THEN {_ratio(f'coalesce({part}, 0)', whole)} END"


def _change(now: str, before: str) -> str:
    return f"CASE WHEN a.opened IS NOT NULL THEN {_ratio(f'coalesce({now}, 0)', before)} - 1 END"


def _mean(total: str, days: str) -> str:
    """Mean of day-ends; NULL for a prospect, and over no day at all."""
    is_known = f"a.opened IS NOT NULL AND {days} > 0"
    return f"CASE WHEN {is_known} THEN coalesce({total}, 0) / ({days}) END"


_QUARTER = _mean("v.quarter", "least(90, a.tenure + 1)")
_PREVIOUS = _mean("v.previous", "least(90, a.tenure - 89)")
_WINDOWS = f"least({PEAK_WINDOWS}, a.tenure / {WINDOW_DAYS} + 1)"
_AGE = f"extract(year FROM age({DAY}, t.birth_date))::int"

_STAGES = f"'{{{','.join(CREDIT_STAGES)}}}'::text[]"
_PRESSURES = ", ".join(
    f"('{industry}', date '{since}', {change!r}::float8)"
    for industry, since, change in cost_pressures()
)
_PRESSURE = f"""
    SELECT change FROM (VALUES {_PRESSURES}) AS price (industry, since, change)
    WHERE price.industry = t.industry AND since <= {DAY} AND t.industry IS NOT NULL
    ORDER BY since DESC LIMIT 1"""  # noqa: S608 - built from the catalogue alone

_COLUMNS = (
    "party_type occupation residence_area acquisition_source enterprise_size tax_rating industry "
    "credit_rating local_hukou_years local_hukou resident_here has_direct_link "
    "qualified_investor wechat_friend is_deceased is_frozen in_hardship in_collection"
)

EXPRESSIONS: Mapping[str, str] = {
    **{name: f"t.{name}" for name in _COLUMNS.split()},
    **{f"has_{key}": f"coalesce(own.has_{key}, false)" for key in categories()},
    # the person
    "age": _AGE,
    "is_minor": f"t.party_type = 'person' AND {_AGE} < 18",
    "income_year": _yuan("t.income_year"),
    "salary_month": _sum("d.salary / 3"),
    "pension_month": _sum("d.pension / 3"),
    "has_car": "t.has_car OR nullif(c.car_spends >= 3, false)",
    "risk_class": "r.risk_class",
    "assessment_valid": "coalesce(r.is_valid, false)",
    "acquisition_cost": _yuan("t.acquisition_cost"),
    "marketing_consent": "s.marketing",
    "personalization": "t.personalization AND NOT s.not_personal",
    "minor_children": "coalesce(t.minor_children, k.minor_children)",
    "is_business_owner": "CASE WHEN k.owns_business THEN true ELSE t.is_business_owner END",
    "kyc_completeness": "q.filled",
    # the relationship
    "tenure_days": "a.tenure",
    "track": "CASE WHEN a.tenure <= 90 THEN 'new' WHEN a.tenure > 90 THEN 'existing' END",
    "open_accounts": _count("a.open_accounts"),
    "has_rm": "t.rm_id IS NOT NULL",
    "rm_contacts_90d": _count("d.rm_90"),
    "rm_contacts_365d": _count("d.rm_365"),
    "wechat_replies_90d": _count("d.wechat_90"),
    "complaints_365d": _count("m.opened"),
    "has_open_complaint": "m.is_open",
    "referrals_365d": _count("k.referrals"),
    # assets
    "aum": _sum("own.aum"),
    "household_aum": _sum("own.aum + coalesce(k.household_others_aum, 0)"),
    "aum_avg_month": _yuan(_mean("v.month", f"least({WINDOW_DAYS}, a.tenure + 1)")),
    "aum_avg_quarter": _yuan(_QUARTER),
    "aum_avg_prev_quarter": _yuan(_PREVIOUS),
    "aum_peak_24m": "CASE WHEN a.opened IS NOT NULL THEN "
    + _yuan(f"greatest(v.highest, CASE WHEN v.windows < {_WINDOWS} THEN 0 END)")
    + " END",
    "aum_trend": f"({_QUARTER}) / nullif({_PREVIOUS}, 0) - 1",
    "aum_change_30d": _sum("own.aum - own.aum_before"),
    "deposit_share": _share("own.deposits", "own.aum"),
    "demand_share": _share("own.demand", "own.aum"),
    "salary_retention_30d": "e.salary_retention",
    "top_category_share": _share("own.top_category", "own.aum"),
    "deposit_avg_year": _yuan(_mean("v.deposit_year", "least(365, a.tenure + 1)")),
    # holdings
    "product_count": _count("own.products"),
    "asset_category_count": _count("own.asset_products"),
    "first_purchase_days": "CASE WHEN own.first_product IS NOT NULL"
    " THEN greatest(own.first_product - a.opened, 0) END",
    "days_to_next_maturity": f"own.next_maturity - {DAY}",
    "maturing_amount_30d": _sum("own.maturing"),
    "matured_unrenewed": _sum("n.unrenewed"),
    "repurchases_365d": _count("d.purchases - l.bought_first::int"),
    "fund_trades_90d": _count("d.fund_trades"),
    "quick_pay_bindings": _count("own.bindings"),
    # credit and cards
    "loan_balance": _sum("own.loans"),
    "mortgage_balance": _sum("own.mortgages"),
    "credit_line": _sum("own.lines"),
    "credit_used": _sum("own.used"),
    "line_utilisation": _share("own.used", "own.lines"),
    "days_to_line_expiry": f"own.line_expiry - {DAY}",
    "overdue_days": _count("own.overdue"),
    "rural_funnel_stage": f"({_STAGES})[coalesce(l.credit_stage, 0) + 1]",
    "days_since_card_issued": f"{DAY} - own.card_issued",
    "card_activated": "CASE WHEN own.card_issued IS NOT NULL"
    " THEN coalesce(own.card_marked_active, false) OR coalesce(c.is_used, false) END",
    "card_spend_30d": _sum("c.spend_30"),
    "card_spend_90d": _sum("c.spend_90"),
    "card_spend_change": _change("c.spend_90", "c.spend_prev_90"),
    "card_motive": "CASE WHEN c.spend_90 > 0 THEN"
    " CASE WHEN c.motive_spend >= 0.35 * c.spend_90 THEN c.motive ELSE 'mixed' END END",
    # money in and out
    "inflow_30d": _sum("d.inflow_30"),
    "inflow_90d": _sum("d.inflow_90"),
    "outflow_30d": _sum("d.outflow_30"),
    "outflow_90d": _sum("d.outflow_90"),
    "largest_inflow_90d": _sum("d.largest_inflow"),
    "external_self_outflow_90d": _sum("d.self_outflow"),
    "transactions_90d": _count("d.transactions"),
    "transaction_amount_90d": _sum("d.transaction_amount"),
    "auto_pay_count": _count("p.auto_pay"),
    # activity
    "days_since_active": f"CASE WHEN a.opened IS NOT NULL"
    f" THEN coalesce({DAY} - l.active, a.tenure) END",
    "active_days_30d": _count("d.active_30"),
    "active_days_90d": _count("d.active_90"),
    "active_days_prev_90d": _count("d.active_prev_90"),
    "active_days_365d": _count("d.active_365"),
    "logins_30d": _count("d.logins_30"),
    "logins_90d": _count("d.logins_90"),
    "days_since_login": f"{DAY} - l.login",
    "ebank_logins_90d": "CASE WHEN t.party_type = 'company' THEN " + _count("d.logins_90") + " END",
    "top_channel": "l.channel",
    "digital_share_365d": _share("d.online", "d.initiated"),
    "branch_visits_365d": _count("d.visits"),
    "product_views_7d": _count("d.product_views"),
    "application_abandoned_7d": _count("d.abandoned"),
    "content_reads_30d": _count("d.contents_30"),
    "activity_joins_180d": _count("d.activities_180"),
    "education_touches_365d": _count("d.contents_365 + d.activities_365"),
    # contribution
    "revenue_12m": _sum("e.revenue"),
    "cost_to_serve_12m": _sum("e.cost_to_serve"),
    "risk_cost_12m": _sum("e.risk_cost"),
    "net_contribution_12m": _sum("e.revenue - e.cost_to_serve - e.risk_cost"),
    "service_minutes_12m": _count("d.minutes"),
    # companies
    "visits_90d": _count("d.rm_visits_90"),
    "bid_wins_365d": _count("d.bids_won"),
    "cost_pressure": f"({_PRESSURE if _PRESSURES else 'NULL'})",
    "settlement_amount_90d": _sum("d.settled_90"),
    "settlement_change": _change("d.settled_90", "d.settled_prev_90"),
    "settlement_share": _share("d.received_365", "t.declared_turnover"),
    "payroll_headcount": _count("d.headcount"),
    "payroll_headcount_change": _change("d.headcount", "d.headcount_before"),
    "upstream_count": _count("p.upstream"),
    "downstream_count": _count("p.downstream"),
    "counterparty_here_share": _share("p.here", "p.upstream + p.downstream"),
    "legal_rep_aum": _yuan("k.legal_rep_aum"),
    "key_persons_known": _count("k.key_persons"),
    "employee_conversion": _ratio("k.employees_converted", "k.employees"),
    "fx_volume_365d": _sum("d.fx"),
    "bill_volume_365d": _sum("own.bills"),
}

_SQL_TYPES = {
    Kind.INT: "int",
    Kind.DECIMAL: "float8",
    Kind.RATIO: "float8",
    Kind.BOOL: "boolean",
    Kind.ENUM: "text",
    Kind.TEXT: "text",
}

SELECTED = ",\n".join(
    f"({EXPRESSIONS[name]})::{_SQL_TYPES[kind]} AS {name}" for name, kind in FEATURES.items()
)
