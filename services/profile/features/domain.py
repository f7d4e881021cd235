"""The facts of a customer that rules are written over: names, types, what cannot be told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from services.profile.vocabulary import Category, ContributionRates, Label
from shared.errors import Invalid, NotFound

BANK_CURRENCY = "bank_currency"
FeatureValue = str | int | float | bool | None


class Kind(StrEnum):
    INT = "int"
    DECIMAL = "decimal"
    RATIO = "ratio"
    BOOL = "bool"
    ENUM = "enum"
    TEXT = "text"


def _kinds(**names_by_kind: str) -> dict[str, Kind]:
    return {
        name: Kind(kind.rstrip("_"))
        for kind, names in names_by_kind.items()
        for name in names.split()
    }


FEATURES: Mapping[str, Kind] = _kinds(
    enum="party_type occupation residence_area track acquisition_source rural_funnel_stage "
    "card_motive top_channel enterprise_size tax_rating",
    text="industry credit_rating",
    int_="age minor_children local_hukou_years risk_class tenure_days open_accounts "
    "rm_contacts_90d rm_contacts_365d wechat_replies_90d product_count asset_category_count "
    "first_purchase_days "
    "days_to_next_maturity repurchases_365d fund_trades_90d overdue_days days_since_card_issued "
    "quick_pay_bindings auto_pay_count days_since_active active_days_30d active_days_90d "
    "active_days_prev_90d active_days_365d logins_30d logins_90d days_since_login transactions_90d "
    "branch_visits_365d product_views_7d application_abandoned_7d content_reads_30d "
    "activity_joins_180d education_touches_365d complaints_365d referrals_365d service_minutes_12m "
    "payroll_headcount upstream_count downstream_count days_to_line_expiry key_persons_known "
    "visits_90d bid_wins_365d ebank_logins_90d",
    decimal="income_year salary_month pension_month acquisition_cost aum aum_avg_month "
    "aum_avg_quarter aum_avg_prev_quarter aum_peak_24m aum_change_30d household_aum inflow_30d "
    "inflow_90d outflow_30d outflow_90d largest_inflow_90d external_self_outflow_90d "
    "maturing_amount_30d matured_unrenewed loan_balance mortgage_balance credit_line credit_used "
    "card_spend_30d card_spend_90d transaction_amount_90d revenue_12m cost_to_serve_12m "
    "risk_cost_12m net_contribution_12m deposit_avg_year settlement_amount_90d fx_volume_365d "
    "bill_volume_365d legal_rep_aum",
    ratio="kyc_completeness aum_trend deposit_share demand_share top_category_share "
    "salary_retention_30d line_utilisation card_spend_change digital_share_365d settlement_change "
    "settlement_share payroll_headcount_change employee_conversion counterparty_here_share "
    "cost_pressure",
    bool_="is_business_owner has_car local_hukou resident_here assessment_valid qualified_investor "
    "has_rm wechat_friend marketing_consent personalization is_minor is_deceased is_frozen "
    "in_hardship in_collection has_demand_deposit has_term_deposit has_structured_deposit "
    "has_treasury_bond has_wealth_management has_fund has_insurance has_precious_metal "
    "has_trust_private has_pension_account has_consumer_loan has_business_loan has_mortgage "
    "has_credit_card has_payroll has_settlement has_quick_pay has_merchant_acquiring "
    "has_cash_management has_trade_finance has_bill has_guarantee has_fx card_activated "
    "has_open_complaint has_direct_link",
)

_FROM_RELATIVES = (
    *("household_aum", "minor_children", "is_business_owner", "referrals_365d", "legal_rep_aum"),
    *("key_persons_known", "employee_conversion"),
)
_STATED_ANEW = (
    *("kyc_completeness", "credit_line", "credit_used", "line_utilisation"),
    *("days_to_line_expiry", "card_activated"),
)
NOT_OF_THE_PAST: Mapping[str, str] = {
    **dict.fromkeys(_FROM_RELATIVES, "follows from other parties, whose past is not looked up"),
    **dict.fromkeys(_STATED_ANEW, "only the present state of what it follows from is kept"),
}
"""Features that are NULL of the past, and why."""

NOT_OF_PAST_DEBTORS = ("overdue_days", "risk_cost_12m", "net_contribution_12m")
"""NULL of the past for those who owed something then: since when a debt was overdue is not kept."""

NOT_OF_PAST_PARTIES = (
    *("marketing_consent", "personalization"),
    *("is_deceased", "is_frozen", "in_hardship", "in_collection"),
)
"""NULL of the past for customers of several records: where each of these stood is not kept."""


class Aggregate(StrEnum):
    """What a declared feature tells of the events that count for it."""

    COUNT = "count"
    DAYS = "days"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    MEAN = "mean"
    LAST = "last"
    DAYS_SINCE = "days_since"

    @property
    def kind(self) -> Kind:
        """Of its values."""
        whole = {Aggregate.COUNT, Aggregate.DAYS, Aggregate.DAYS_SINCE}
        return Kind.INT if self in whole else Kind.DECIMAL


@dataclass(frozen=True, slots=True)
class Declared:
    """A feature of the bank's own, as answers show it; `ground` is the group it is read by."""

    name: str
    kind: Kind
    ground: str


OF_A_YEAR = frozenset(
    {
        *("revenue_12m", "cost_to_serve_12m", "risk_cost_12m", "net_contribution_12m"),
        "salary_retention_30d",
    }
)
"""Features of sums that runs look at anew, not single changes."""

CREDIT_STAGES = ("none", "filed", "rated", "granted", "signed", "drawn")
"""The values of `rural_funnel_stage`, each further than the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFeatures:
    """All features of one customer as they stood at `as_of`."""

    customer_id: str
    as_of: datetime
    features: dict[str, FeatureValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One pass over many customers; only what changed is written."""

    run_id: str
    kind: str
    state: str
    as_of: datetime
    total: int
    done: int
    changed: int
    created_at: datetime
    finished_at: datetime | None = None


class Side(StrEnum):
    REVENUE = "revenue"
    COST = "cost"
    RISK = "risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amount:
    """How much of one thing there was, and what it brought or cost, in fen."""

    side: Side
    key: str
    quantity: Decimal
    fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One line of a contribution: `quantity` in `unit` at `rate` is `amount`.

    `rate` is money for one unit, or, where the unit is the bank's currency, %: of an average
    balance a year, else of the amount itself.
    """

    side: Side
    key: str
    label: Label
    quantity: Decimal
    unit: str
    rate: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Contribution:
    """Why a customer contributes what it does: the parts, and what they add up to."""

    customer_id: str
    as_of: datetime
    parts: tuple[Part, ...]

    def total(self, side: Side) -> Decimal:
        return sum((part.amount for part in self.parts if part.side is side), Decimal(0))

    @property
    def revenue(self) -> Decimal:
        return self.total(Side.REVENUE)

    @property
    def cost_to_serve(self) -> Decimal:
        return self.total(Side.COST)

    @property
    def risk_cost(self) -> Decimal:
        return self.total(Side.RISK)

    @property
    def net(self) -> Decimal:
        return self.revenue - self.cost_to_serve - self.risk_cost


def part_of(amount: Amount, rates: ContributionRates, categories: Mapping[str, Category]) -> Part:
    """Say with labels and rates what a line of a contribution is."""
    label, unit, rate = _terms(amount, rates, categories)
    return Part(
        side=amount.side,
        key=amount.key,
        label=label,
        quantity=round(amount.quantity, 2),
        unit=unit,
        rate=rate,
        amount=Decimal(amount.fen) / 100,
    )


def _terms(
    amount: Amount, rates: ContributionRates, categories: Mapping[str, Category]
) -> tuple[Label, str, Decimal]:
    costs = {**rates.costs, **rates.contacts}
    drivers = rates.once if amount.side is Side.REVENUE else costs
    driver = drivers.get(amount.key)
    if driver is not None:
        return driver.label, driver.unit, driver.rate
    if amount.key not in categories:
        return rates.overdue, BANK_CURRENCY, rates.overdue_risk
    category, balance = categories[amount.key], rates.balances.get(amount.key)
    rate = Decimal(0)
    if balance is not None:
        rate = balance.spread if amount.side is Side.REVENUE else balance.risk
    return Label(category.zh, category.en), BANK_CURRENCY, rate


class UnknownFeature(Invalid):
    code = "unknown_feature"
    title = "There is no feature of this name"


class RunAhead(Invalid):
    code = "run_ahead"
    title = "Features cannot be computed for a time that has not come"


class NoSuchRun(NotFound):
    code = "no_such_run"


def chosen(columns: str | None, own: Sequence[Declared] = ()) -> dict[str, Kind]:
    """Return the features named in a comma-separated list, or all of them, with their kinds.

    Args:
        columns: the list; None or empty: all.
        own: those that the bank has declared.

    Raises:
        UnknownFeature: if one of them is not a feature of profile.
    """
    known = {**FEATURES, **{each.name: each.kind for each in own}}
    names = [name for name in (columns or "").split(",") if name] or list(known)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnknownFeature(f"Profile has no feature {', '.join(unknown)}")
    return {name: known[name] for name in names}
