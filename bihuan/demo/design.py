"""The demonstration bank's numbers: who its customers are, what they hold, do and would accept.

Logits are linear in `wealth` (ln of target AUM in CNY, minus 10), `years` ((age − 45) ÷ 15) and,
for propensities, `digital` (share of contacts on the app, minus 0.5).
"""

from dataclasses import dataclass
from typing import NamedTuple

WINDOW_DAYS = 400
ZONE_HOURS = 8  # Asia/Shanghai has kept one offset since 1991

PERSON, SMALL_BUSINESS, COMPANY = range(3)
PARTY_TYPES = ("person", "small_business", "company")
PARTY_SHARES = (0.90, 0.065, 0.035)
PROSPECT_SHARE = 0.03

PATTERNS = ("new", "steady", "fading", "quiet", "asleep", "gone")
NEW, STEADY, FADING, QUIET, ASLEEP, GONE = range(6)


class Pattern(NamedTuple):
    """How a customer's activity runs: how common, how drawn by churn risk, when it stopped."""

    share: float
    pull: float  # ln odds per standard deviation of churn risk
    stopped: tuple[int, int]  # days before as_of of the last activity, drawn evenly
    pace: float  # activity relative to a steady customer of the same habits


HABITS = (
    Pattern(0.07, 0.0, (0, 1), 2.6),
    Pattern(0.58, 0.0, (0, 1), 1.0),
    Pattern(0.09, 0.7, (0, 2), 1.1),
    Pattern(0.10, 0.5, (31, 180), 1.1),
    Pattern(0.08, 0.6, (181, 370), 1.0),
    Pattern(0.08, 1.0, (185, 398), 0.8),
)
# Initiated events of a steady customer in the window: median, and sigma of its logarithm.
ACTIVITY = {PERSON: (13.9, 1.0), SMALL_BUSINESS: (24.0, 0.8), COMPANY: (32.0, 0.7)}

# ln AUM in CNY: mean, sigma; a small rich part is drawn apart so that every tier is peopled.
WEALTH = {PERSON: (9.15, 1.95), SMALL_BUSINESS: (11.0, 1.7), COMPANY: (13.6, 1.7)}
RICH_SHARE, RICH = 0.008, (15.4, 0.8)

OCCUPATIONS = (
    "executive", "professional", "civil_servant", "employee", "business_owner", "self_employed",
    "farmer", "student", "homemaker", "retired", "other",
)  # fmt: skip
EARNERS = (0.05, 0.17, 0.08, 0.42, 0.05, 0.08, 0.06, 0.0, 0.05, 0.0, 0.04)
INCOME = dict(
    zip(OCCUPATIONS, (420, 190, 130, 95, 260, 85, 38, 6, 12, 52, 60), strict=True)
)  # thousand CNY a year, median
PAYROLL_SHARE = {"executive": 0.5, "professional": 0.55, "civil_servant": 0.6, "employee": 0.45}
PENSION_SHARE = 0.55

INDUSTRIES = (
    "manufacturing", "wholesale", "retail", "catering",
    "construction", "technology", "transport", "agriculture",
)  # fmt: skip
CITIES = (
    "beijing", "shanghai", "guangzhou", "shenzhen", "hangzhou", "chengdu",
    "wuhan", "xian", "nanjing", "qingdao", "changsha", "urumqi",
)  # fmt: skip
CITY_SHARES = (0.13, 0.15, 0.10, 0.11, 0.09, 0.09, 0.08, 0.06, 0.07, 0.05, 0.05, 0.02)
BRANCHES_PER_CITY = 6
SOURCES = (
    "online_public", "branch", "mgm", "payroll_batch", "merchant", "corporate_link", "partner",
)  # fmt: skip
SOURCE_SHARES = (0.27, 0.33, 0.09, 0.16, 0.05, 0.04, 0.06)
SOURCE_COST = (62, 35, 48, 12, 30, 18, 75)  # CNY an opening


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One product category: who holds it (logit), and who would take it when asked (logit)."""

    hold: tuple[float, float, float] | None  # 1, wealth, years; None: not for this party
    take: tuple[float, float, float, float]  # 1, wealth, years, digital
    term_days: tuple[int, ...] = ()  # terms on offer; empty: open-ended
    weight: float = 0.0  # pull on the customer's assets; 0: holds no assets
    rate: float = 0.0  # a year


NEVER = (-20.0, 0.0, 0.0)
RETAIL = {
    "demand_deposit": Category(hold=(20, 0, 0), take=(-2.2, 0.1, 0, 0.3), weight=0.5, rate=0.0005),
    "term_deposit": Category(hold=(-1.5, 0.45, 0.5), take=(-3.0, 0.25, 0.5, -0.4),
        term_days=(91, 182, 365, 730, 1095), weight=1.6, rate=0.0135),
    "structured_deposit": Category(hold=(-3.3, 0.5, 0.2), take=(-3.9, 0.3, 0.2, 0.0),
        term_days=(91, 182, 365), weight=1.2, rate=0.019),
    "treasury_bond": Category(hold=(-3.9, 0.3, 0.7), take=(-4.0, 0.15, 0.8, -0.5),
        term_days=(1095, 1825), weight=0.8, rate=0.0175),
    "wealth_management": Category(hold=(-1.6, 0.6, 0.0), take=(-3.1, 0.35, -0.1, 0.6),
        term_days=(30, 91, 182, 365), weight=1.8, rate=0.024),
    "fund": Category(hold=(-2.1, 0.5, -0.35), take=(-3.6, 0.3, -0.5, 0.7), weight=0.8),
    "insurance": Category(hold=(-2.6, 0.4, 0.1), take=(-4.1, 0.3, 0.1, -0.6), weight=0.7),
    "precious_metal": Category(hold=(-3.7, 0.35, 0.0), take=(-4.2, 0.2, 0.2, 0.1), weight=0.3),
    "trust_private": Category(hold=(-9.5, 1.7, 0.1), take=(-9.0, 1.4, 0.1, -0.3), weight=2.2),
    "pension_account": Category(hold=(-2.7, 0.25, -0.2), take=(-3.7, 0.2, -0.3, 0.4), weight=0.2),
    "consumer_loan": Category(hold=(-2.8, -0.1, -0.4), take=(-3.6, -0.2, -0.5, 0.6)),
    "business_loan": Category(hold=NEVER, take=(-5.5, 0.1, -0.1, 0.0)),
    "mortgage": Category(hold=(-2.1, 0.2, -0.3), take=(-5.2, 0.2, -0.6, 0.0)),
    "credit_card": Category(hold=(-1.0, 0.2, -0.3), take=(-3.2, 0.1, -0.4, 0.6)),
    "payroll": Category(hold=NEVER, take=(-4.0, 0.1, -0.4, 0.2)),
    "settlement": Category(hold=NEVER, take=(-6.0, 0.1, 0.0, 0.0)),
    "quick_pay": Category(hold=(0.5, 0.0, -0.6), take=(-2.2, 0.0, -0.5, 1.2)),
    "merchant_acquiring": Category(hold=NEVER, take=(-5.5, 0.0, -0.2, 0.3)),
    "cash_management": Category(hold=NEVER, take=(-9.0, 0.0, 0.0, 0.0)),
    "trade_finance": Category(hold=NEVER, take=(-9.0, 0.0, 0.0, 0.0)),
    "bill": Category(hold=NEVER, take=(-9.0, 0.0, 0.0, 0.0)),
    "guarantee": Category(hold=NEVER, take=(-9.0, 0.0, 0.0, 0.0)),
    "fx": Category(hold=(-3.5, 0.3, -0.2), take=(-4.5, 0.3, -0.2, 0.2)),
}  # fmt: skip
CATEGORIES = tuple(RETAIL)
DEMAND = CATEGORIES.index("demand_deposit")

# Where a business differs from a person: hold and take logits by category.
BUSINESS: dict[
    int, dict[str, tuple[tuple[float, float, float], tuple[float, float, float, float]]]
] = {
    SMALL_BUSINESS: {
        "business_loan": ((-1.4, 0.1, 0.0), (-3.0, 0.1, -0.1, 0.1)),
        "settlement": ((0.2, 0.1, 0.0), (-2.8, 0.1, 0.0, 0.1)),
        "merchant_acquiring": ((-0.2, 0.0, -0.2), (-2.7, 0.0, -0.2, 0.3)),
        "payroll": ((-1.6, 0.2, 0.0), (-3.5, 0.1, 0.0, 0.2)),
        "cash_management": ((-4.0, 0.2, 0.0), (-4.2, 0.2, 0.0, 0.2)),
    },
    COMPANY: {
        "term_deposit": ((-2.2, 0.3, 0.0), (-3.3, 0.2, 0.0, 0.0)),
        "structured_deposit": ((-3.0, 0.4, 0.0), (-3.6, 0.2, 0.0, 0.0)),
        "wealth_management": ((-3.2, 0.3, 0.0), (-3.9, 0.2, 0.0, 0.2)),
        "business_loan": ((-1.4, 0.2, 0.0), (-3.1, 0.1, 0.0, 0.0)),
        "settlement": ((2.5, 0.1, 0.0), (-2.6, 0.1, 0.0, 0.1)),
        "payroll": ((-0.6, 0.1, 0.0), (-3.4, 0.1, 0.0, 0.2)),
        "cash_management": ((-2.6, 0.3, 0.0), (-3.6, 0.2, 0.0, 0.2)),
        "trade_finance": ((-3.8, 0.2, 0.0), (-4.2, 0.2, 0.0, 0.0)),
        "bill": ((-3.0, 0.2, 0.0), (-3.8, 0.2, 0.0, 0.0)),
        "guarantee": ((-3.6, 0.2, 0.0), (-4.1, 0.2, 0.0, 0.0)),
        "fx": ((-3.4, 0.2, 0.0), (-4.0, 0.2, 0.0, 0.0)),
    },
}
NOT_FOR_COMPANIES = frozenset(
    {
        "treasury_bond", "fund", "insurance", "precious_metal", "trust_private",
        "pension_account", "consumer_loan", "mortgage", "credit_card", "quick_pay",
    }
)  # fmt: skip

CHANNELS = ("app", "sms", "wechat", "rm", "remote_bank", "branch", "outbound", "email")
CHANNEL_LOGITS = (0.0, -0.9, -0.1, 0.6, 0.2, 0.4, -0.4, -1.2)
# The channel's logit grows with the customer's taste for digital contact by this much.
CHANNEL_DIGITAL = (1.4, 0.3, 0.8, -0.5, -0.3, -1.2, -0.6, 0.4)
# Some wares want a voice: added to the logit of the pair.
VOICE_WARES = frozenset({"insurance", "trust_private", "business_loan", "mortgage", "settlement"})
VOICE_CHANNELS = frozenset({"rm", "branch", "remote_bank"})
VOICE_LOGIT = 0.5


@dataclass(frozen=True, slots=True)
class Churn:
    """Churn within 90 days, as a logit: what a feature shows, and what none does.

    `pull` (another bank's hold on the customer) and `salary_elsewhere` are hidden; the
    interaction of the latter with being under 35 is in no catalogue either.
    """

    base: float = -3.6
    pull: float = 0.8
    young_salary_elsewhere: float = 1.3
    branch_habit: float = -0.5
    wealth: float = -0.12
    recent_stop: float = 0.9


CHURN = Churn()
SALARY_ELSEWHERE_SHARE = 0.3
# True uplift: a contact raises the purchase logit by `lift`, and multiplies the churn hazard
# by exp(−save); both are drawn per customer and may be negative for those better left alone.
LIFT = (0.7, 0.35)  # mean, sigma
LIFT_OF_THE_QUIET = -0.5
SAVE = (0.35, 0.3)
