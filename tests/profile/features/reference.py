"""Features in slow, plain Python straight from the definitions: what the SQL is compared with."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from services.profile.events.domain import Event
from services.profile.relations.domain.relations import Relation
from services.profile.vocabulary import EventType, categories, contribution, event_types

ZONE = ZoneInfo("Asia/Shanghai")
ONLINE = {"app", "wechat", "ebank", "web"}
Value = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Held:
    """A holding as the history states it; money in fen."""

    holding_id: str
    category: str
    opened_at: date
    closed_at: date | None = None
    matures_at: date | None = None
    amount: int | None = None
    credit_line: int | None = None
    status: str | None = None
    overdue_since: date | None = None

    @property
    def is_asset(self) -> bool:
        return categories()[self.category].asset

    @property
    def is_deposit(self) -> bool:
        return categories()[self.category].flow == "deposit"

    def is_open(self, day: date) -> bool:
        return self.opened_at <= day and (self.closed_at is None or self.closed_at > day)


@dataclass(frozen=True, kw_only=True)
class History:
    """All that is known of one customer."""

    opened: date
    today: date
    holdings: Sequence[Held]
    events: Sequence[Event]
    accounts: frozenset[str] = field(default_factory=frozenset[str])
    contacts: Mapping[str, int] = field(default_factory=dict[str, int])


def day_of(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def features(history: History) -> dict[str, Value]:
    """Compute every feature that follows from holdings and events."""
    once = list({event.event_id: event for event in history.events}.values())
    book = _Book(history, once)
    return {**book.assets(), **book.holdings(), **book.flows(), **book.activity(), **book.cards(),
            **book.companies(), **book.credit(), **book.contribution()}  # fmt: skip


def yuan(fen: float) -> float:
    return round(fen) / 100


def ratio(part: float, whole: float) -> float | None:
    return None if whole == 0 else part / whole


@dataclass(frozen=True, kw_only=True)
class Party:
    """What others' features take from a party; money in fen."""

    aum: int = 0
    categories: int = 0
    born: date | None = None
    opened: date
    bought: date | None = None
    is_reachable: bool = False
    minor_children: int | None = None
    is_business_owner: bool | None = None


def from_relatives(
    customer_id: str, parties: Mapping[str, Party], relations: Sequence[Relation], today: date
) -> dict[str, Value]:
    """Compute the features that a customer takes from those it is related to."""
    current = [each for each in relations if each.is_current(today)]
    own = parties[customer_id]

    def related(*kinds: str) -> list[Relation]:
        return [r for r in current if r.kind in kinds and r.from_id == customer_id]

    represents = [r for r in current if r.to_id == customer_id and r.kind == "legal_representative"]
    holds = [r for r in current if r.to_id == customer_id and r.kind == "shareholder"]
    owns = bool(represents) or any((r.share or 0) >= 20 for r in holds)
    bosses = related("legal_representative")
    known = {r.to_id for r in related("legal_representative", "key_person")}
    paid = {r.to_id for r in related("employment")}
    return {
        "household_aum": yuan(sum(parties[m].aum for m in _household(customer_id, current))),
        "minor_children": _minors(customer_id, parties, current, today),
        "is_business_owner": True if owns else own.is_business_owner,
        "referrals_365d": _successes(customer_id, parties, relations, today),
        "legal_rep_aum": yuan(sum(parties[r.to_id].aum for r in bosses)) if bosses else None,
        "key_persons_known": sum(parties[party].is_reachable for party in known),
        "employee_conversion": ratio(sum(parties[p].categories >= 2 for p in paid), len(paid)),
    }


def _household(customer_id: str, current: Sequence[Relation]) -> set[str]:
    home = {customer_id}
    pairs = [{r.from_id, r.to_id} for r in current if r.kind == "household"]
    while near := {party for pair in pairs if home & pair for party in pair} - home:
        home |= near
    return home


def _minors(
    customer_id: str, parties: Mapping[str, Party], current: Sequence[Relation], today: date
) -> int | None:
    stated = parties[customer_id].minor_children
    children = {r.to_id for r in current if r.from_id == customer_id and r.role == "child"}
    children |= {r.from_id for r in current if r.to_id == customer_id and r.role == "parent"}
    if stated is not None or not children:
        return stated
    years_ago = today.replace(year=today.year - 18)
    return sum((born := parties[c].born) is not None and born > years_ago for c in children)


def _successes(
    customer_id: str, parties: Mapping[str, Party], relations: Sequence[Relation], today: date
) -> int:
    year = today - timedelta(days=365)
    referred = [
        (parties[r.to_id], r.since or date.min)
        for r in relations
        if r.kind == "referral" and r.from_id == customer_id and (r.since or today) <= today
    ]
    return sum(
        any(
            day is not None and year < day <= today and day >= since
            for day in (party.opened, party.bought)
        )
        for party, since in referred
    )


class _Book:
    def __init__(self, history: History, events: Sequence[Event]) -> None:
        self.history = history
        self.today = history.today
        self.opened = history.opened
        self.tenure = (self.today - self.opened).days
        self.events = [event for event in events if day_of(event.occurred_at) <= self.today]
        self.points: dict[str, list[tuple[date, tuple[datetime, int, str], int]]] = defaultdict(
            list
        )
        for event in self.events:
            if event.balance_after is not None and event.holding_id is not None:
                rank = (event.occurred_at, -1 if event.sequence is None else event.sequence)
                self.points[event.holding_id].append(
                    (day_of(event.occurred_at), (*rank, event.event_id), event.balance_after)
                )

    # --- balances

    def balance(self, holding: Held, day: date) -> int | None:
        points = self.points[holding.holding_id]
        known = [(rank, amount) for at, rank, amount in points if at <= day]
        return max(known)[1] if known else None

    def total(self, day: date, wanted: Callable[[Held], bool]) -> int:
        if day < self.opened:
            return 0
        return sum(
            self.balance(h, day) or 0
            for h in self.history.holdings
            if h.opened_at <= self.today
            and (h.closed_at is None or h.closed_at > day)
            and wanted(h)
        )

    def days(self, first: int, count: int) -> list[date]:
        """The `count` days that end `first` days ago, those before the opening left out."""
        days = [self.today - timedelta(days=first + n) for n in range(count)]
        return [day for day in days if day >= self.opened]

    def mean(self, first: int, count: int, wanted: Callable[[Held], bool]) -> float | None:
        days = self.days(first, count)
        return sum(self.total(day, wanted) for day in days) / len(days) if days else None

    def assets(self) -> dict[str, Value]:
        def asset(held: Held) -> bool:
            return held.is_asset

        now = self.total(self.today, asset)
        month = self.mean(0, 30, asset)
        quarter, before = self.mean(0, 90, asset), self.mean(90, 90, asset)
        months = [mean for n in range(24) if (mean := self.mean(30 * n, 30, asset)) is not None]
        by_category = Counter[str]()
        for held in self.history.holdings:
            if held.is_asset and held.is_open(self.today):
                by_category[held.category] += self.balance(held, self.today) or 0
        known = [
            held.category
            for held in self.history.holdings
            if held.is_asset
            and held.is_open(self.today)
            and self.balance(held, self.today) is not None
        ]
        month_ago = self.today - timedelta(days=30)
        year = self.mean(0, 365, lambda held: held.is_asset and held.is_deposit)
        deposits = self.total(self.today, lambda held: held.is_asset and held.is_deposit)
        demand = self.total(self.today, lambda held: held.category == "demand_deposit")
        largest = max((by_category[category] for category in known), default=0)
        return {
            "aum": yuan(now),
            "household_aum": yuan(now),
            "aum_avg_month": yuan(month or 0),
            "aum_avg_quarter": yuan(quarter or 0),
            "aum_avg_prev_quarter": None if before is None else yuan(before),
            "aum_peak_24m": yuan(max(months)),
            "aum_trend": None if not before or quarter is None else quarter / before - 1,
            "aum_change_30d": yuan(now - self.total(month_ago, asset)),
            "deposit_share": ratio(deposits, now),
            "demand_share": ratio(demand, now),
            "top_category_share": ratio(largest, now),
            "deposit_avg_year": yuan(year or 0),
        }

    # --- holdings

    def holdings(self) -> dict[str, Value]:
        stated = [held for held in self.history.holdings if held.opened_at <= self.today]
        open_ = [held for held in stated if held.is_open(self.today)]
        beyond = [held for held in open_ if held.category != "demand_deposit"]
        ever = [held.opened_at for held in stated if held.category != "demand_deposit"]
        maturing = [h for h in open_ if h.is_asset and h.matures_at and h.matures_at >= self.today]
        lines = [held for held in open_ if held.credit_line]
        soon = self.today + timedelta(days=30)
        used = sum(self.balance(held, self.today) or 0 for held in lines)
        line = sum(held.credit_line or 0 for held in open_)
        expiries = [h.matures_at for h in lines if h.matures_at and h.matures_at >= self.today]
        return {
            "tenure_days": self.tenure,
            "track": "new" if self.tenure <= 90 else "existing",
            "product_count": len({held.category for held in beyond}),
            "asset_category_count": len({held.category for held in beyond if held.is_asset}),
            "first_purchase_days": max((min(ever) - self.opened).days, 0) if ever else None,
            "days_to_next_maturity": min(
                ((held.matures_at - self.today).days for held in maturing if held.matures_at),
                default=None,
            ),
            "maturing_amount_30d": yuan(
                sum(self._worth_now(h) for h in maturing if h.matures_at and h.matures_at <= soon)
            ),
            "matured_unrenewed": yuan(self._unrenewed(stated)),
            "loan_balance": yuan(self._owed(open_, "loan")),
            "mortgage_balance": yuan(
                sum(self.balance(h, self.today) or 0 for h in open_ if h.category == "mortgage")
            ),
            "credit_line": yuan(line),
            "credit_used": yuan(used),
            "line_utilisation": ratio(used, line),
            "days_to_line_expiry": (min(expiries) - self.today).days if expiries else None,
            "quick_pay_bindings": sum(held.category == "quick_pay" for held in open_),
            **{f"has_{key}": any(h.category == key for h in open_) for key in categories()},
        }

    def _worth_now(self, held: Held) -> int:
        now = self.balance(held, self.today)
        return now if now is not None else held.amount or 0

    def _owed(self, held: Sequence[Held], flow: str) -> int:
        return sum(
            self.balance(each, self.today) or 0
            for each in held
            if categories()[each.category].flow == flow
        )

    def _unrenewed(self, stated: Sequence[Held]) -> int:
        products = [h for h in stated if h.is_asset and h.category != "demand_deposit"]
        since, until = self.today - timedelta(days=60), self.today - timedelta(days=30)
        matured = [h for h in products if h.matures_at and since < h.matures_at <= until]

        def worth(held: Held) -> int:
            first = [(at, rank, amount) for at, rank, amount in self.points[held.holding_id]]
            if held.amount is not None:
                return held.amount
            day = min((at for at, _, _ in first), default=None)
            return 0 if day is None else (self.balance(held, day) or 0)

        renewals = [
            held
            for held in products
            if any(
                m.holding_id != held.holding_id
                and m.matures_at
                and m.matures_at <= held.opened_at <= m.matures_at + timedelta(days=30)
                for m in matured
            )
        ]
        return max(0, sum(map(worth, matured)) - sum(map(worth, renewals)))

    # --- events

    def last(self, days: int, before: int = 0) -> list[tuple[Event, EventType]]:
        since = self.today - timedelta(days=days)
        until = self.today - timedelta(days=before)
        return [
            (event, event_types()[event.type])
            for event in self.events
            if since < day_of(event.occurred_at) <= until
        ]

    def crossing(self, days: int, flow: str) -> list[Event]:
        return [
            event
            for event, kind in self.last(days)
            if kind.external
            and (event.direction or kind.flow) == flow
            and not (
                event.counterparty_kind == "own" and event.counterparty in self.history.accounts
            )
        ]

    def flows(self) -> dict[str, Value]:
        inward, outward = self.crossing(90, "in"), self.crossing(90, "out")
        own = [event for event in outward if event.counterparty_kind == "own"]
        initiated = [e for e, kind in self.last(90) if kind.initiated and kind.transaction]
        return {
            "inflow_30d": yuan(_sum(self.crossing(30, "in"))),
            "inflow_90d": yuan(_sum(inward)),
            "outflow_30d": yuan(_sum(self.crossing(30, "out"))),
            "outflow_90d": yuan(_sum(outward)),
            "largest_inflow_90d": yuan(max((event.amount or 0 for event in inward), default=0)),
            "external_self_outflow_90d": yuan(_sum(own)),
            "salary_month": yuan(_sum(self._counting(90, "salary")) / 3),
            "pension_month": yuan(_sum(self._counting(90, "pension")) / 3),
            "transactions_90d": len(initiated),
            "transaction_amount_90d": yuan(_sum(initiated)),
            "fx_volume_365d": yuan(
                _sum(
                    event
                    for event, kind in self.last(365)
                    if kind.counts == "fx" or event.purpose == "cross_border"
                )
            ),
            "auto_pay_count": len(
                {
                    event.counterparty or event.purpose or event.type
                    for event in self._counting(90, "auto_pay")
                }
            ),
        }

    def _counting(self, days: int, counts: str, before: int = 0) -> list[Event]:
        return [event for event, kind in self.last(days, before) if kind.counts == counts]

    def activity(self) -> dict[str, Value]:
        def active(days: int, before: int = 0) -> int:
            found = self.last(days, before)
            return len({day_of(event.occurred_at) for event, kind in found if kind.initiated})

        acted = [event for event in self.events if event_types()[event.type].initiated]
        logins = [event for event in self.events if event_types()[event.type].counts == "login"]
        year = [event for event, kind in self.last(365) if kind.initiated]
        by_channel = Counter(event.channel for event in year if event.channel)
        best = sorted(by_channel.items(), key=lambda item: (-item[1], item[0]))
        bought = self._counting(365, "purchase")
        ever = [e for e in self.events if event_types()[e.type].counts == "purchase"]
        return {
            "days_since_active": self._since(acted) if acted else self.tenure,
            "days_since_login": self._since(logins) if logins else None,
            "active_days_30d": active(30),
            "active_days_90d": active(90),
            "active_days_prev_90d": active(180, 90),
            "active_days_365d": active(365),
            "logins_30d": len(self._counting(30, "login")),
            "logins_90d": len(self._counting(90, "login")),
            "top_channel": best[0][0] if best else None,
            "digital_share_365d": ratio(sum(e.channel in ONLINE for e in year), len(year)),
            "branch_visits_365d": len(self._counting(365, "visit")),
            "product_views_7d": len(self._counting(7, "product_view")),
            "application_abandoned_7d": len(self._counting(7, "abandoned")),
            "content_reads_30d": len(self._counting(30, "content")),
            "activity_joins_180d": len(self._counting(180, "activity")),
            "education_touches_365d": len(self._counting(365, "content"))
            + len(self._counting(365, "activity")),
            "rm_contacts_90d": self._rm_contacts(90),
            "rm_contacts_365d": self._rm_contacts(365),
            "wechat_replies_90d": sum(e.channel == "wechat" for e in self._counting(90, "message")),
            "repurchases_365d": len(bought) - (1 if bought and len(ever) == len(bought) else 0),
            "fund_trades_90d": self._fund_trades(),
        }

    def _rm_contacts(self, days: int) -> int:
        return sum(
            kind.counts in {"rm_visit", "rm_talk"} or (kind.initiated and event.channel == "rm")
            for event, kind in self.last(days)
        )

    def _since(self, events: Sequence[Event]) -> int:
        return (self.today - max(day_of(event.occurred_at) for event in events)).days

    def _fund_trades(self) -> int:
        funds = {held.holding_id for held in self.history.holdings if held.category == "fund"}
        trades = self._counting(90, "purchase") + self._counting(90, "redemption")
        return sum(event.holding_id in funds for event in trades)

    def cards(self) -> dict[str, Value]:
        quarter = self._counting(90, "card_spend")
        before = self._counting(180, "card_spend", 90)
        cards = [
            held
            for held in self.history.holdings
            if held.category == "credit_card" and held.is_open(self.today)
        ]
        issued = max((held.opened_at for held in cards), default=None)
        used = [
            event
            for event in self.events
            if event_types()[event.type].counts == "card_spend"
            and issued is not None
            and day_of(event.occurred_at) >= issued
        ]
        change = ratio(_sum(quarter), _sum(before))
        return {
            "card_spend_30d": yuan(_sum(self._counting(30, "card_spend"))),
            "card_spend_90d": yuan(_sum(quarter)),
            "card_spend_change": None if change is None else change - 1,
            "card_motive": _motive(quarter),
            "days_since_card_issued": (self.today - issued).days if issued else None,
            "card_activated": None
            if issued is None
            else bool(used) or any(held.status == "activated" for held in cards),
            "has_car": sum(e.purpose == "car" for e in self._counting(365, "card_spend")) >= 3
            or None,
        }

    def companies(self) -> dict[str, Value]:
        settled, before = self._counting(90, "settlement"), self._counting(180, "settlement", 90)
        change = ratio(_sum(settled), _sum(before))
        heads, heads_before = self._heads(90, 0), self._heads(180, 90)
        growth = ratio(heads, heads_before)
        return {
            "settlement_amount_90d": yuan(_sum(settled)),
            "settlement_change": None if change is None else change - 1,
            "payroll_headcount": heads,
            "payroll_headcount_change": None if growth is None else growth - 1,
            "upstream_count": self._partners("out"),
            "downstream_count": self._partners("in"),
        }

    def _heads(self, days: int, before: int) -> int:
        by_day = Counter[tuple[date, str]]()
        for event in self._counting(days, "payroll", before):
            key = (day_of(event.occurred_at), event.channel or "")
            by_day[key] += (event.data or {}).get("headcount", 0)
        return max(by_day.values(), default=0)

    def _partners(self, flow: str) -> int:
        payments = Counter(
            event.counterparty
            for event, kind in self.last(365)
            if kind.counts == "settlement"
            and (event.direction or kind.flow) == flow
            and event.counterparty is not None
        )
        return sum(number >= 2 for number in payments.values())

    # --- credit and contribution

    def credit(self) -> dict[str, Value]:
        late = [
            (self.today - held.overdue_since).days
            for held in self.history.holdings
            if held.is_open(self.today) and held.overdue_since and held.overdue_since <= self.today
        ]
        stages = ["none", "filed", "rated", "granted", "signed", "drawn"]
        reached = [
            stages.index(event.type.removeprefix("credit_"))
            for event in self.events
            if event.type.startswith("credit_")
        ]
        return {
            "overdue_days": max(late, default=0),
            "rural_funnel_stage": stages[max(reached, default=0)],
            "salary_retention_30d": self._retention(),
            "visits_90d": len(self._counting(90, "rm_visit")),
            "bid_wins_365d": len(self._counting(365, "bid_won")),
        }

    def _retention(self) -> float | None:
        paid = Counter[date]()
        for event in self._counting(365, "salary"):
            if event.amount and (day := day_of(event.occurred_at)) <= ago(self.today, 30):
                paid[day] += event.amount
        shares: list[float] = []
        for day in sorted(paid)[-3:]:

            def stood(later: int, since: date = day) -> int:
                return self.total(since + timedelta(days=later), lambda held: held.is_asset)

            stayed = min(map(stood, range(31))) - stood(-1)
            shares.append(min(1, max(0, stayed / paid[day])))
        return sum(shares) / len(shares) if shares else None

    def contribution(self) -> dict[str, Value]:
        rates = contribution()
        brought, lost = self._balances()
        spent = _sum(self._counting(365, "card_spend"))
        premiums = sum(
            held.amount or 0
            for held in self.history.holdings
            if held.category == "insurance" and ago(self.today, 365) < held.opened_at <= self.today
        )
        fees = sum(
            (event.amount or 0) * (-1 if event.direction == "in" else 1)
            for event in self._counting(365, "fee")
        )
        amounts = {"card_spend": spent, "first_premium": premiums, "fees": fees}
        brought += sum(_fen(amount * rates.once[key].rate / 100) for key, amount in amounts.items())
        units = {**self._units(), **self.history.contacts}
        prices = {**rates.costs, **rates.contacts}
        cost = sum(_fen(Decimal(units[key]) * prices[key].rate * 100) for key in units)
        return {
            "revenue_12m": yuan(brought),
            "cost_to_serve_12m": yuan(cost),
            "risk_cost_12m": yuan(lost),
            "net_contribution_12m": yuan(brought - cost - lost),
            "service_minutes_12m": sum(self._minutes(event) for event, _ in self.last(365)),
        }

    def _balances(self) -> tuple[int, int]:
        rates, year = contribution(), self.days(0, 365)
        held_days = Counter[tuple[str, bool]]()
        for held in self.history.holdings:
            if held.opened_at <= self.today:
                since = held.overdue_since
                is_late = since is not None and (self.today - since).days >= rates.overdue_days
                held_days[held.category, is_late] += sum(
                    self.balance(held, day) or 0
                    for day in year
                    if held.closed_at is None or held.closed_at > day
                )
        brought = lost = 0
        for category, rate in rates.balances.items():
            late, timely = held_days[category, True], held_days[category, False]
            if not rate.risk:
                late, timely = 0, late + timely
            brought += _fen(late * rate.spread / 36500) + _fen(timely * rate.spread / 36500)
            lost += _fen(late * rates.overdue_risk / 36500) + _fen(timely * rate.risk / 36500)
        return brought, lost

    def _units(self) -> dict[str, int | Decimal]:
        acted = [e for e, kind in self.last(365) if kind.initiated and kind.transaction]
        calls = self._counting(365, "call")
        by_rm = [
            event
            for event, kind in self.last(365)
            if kind.counts in {"rm_visit", "rm_talk"} or event.channel == "rm"
        ]
        return {
            "branch_transaction": sum(event.channel == "branch" for event in acted),
            "visit": len(self._counting(365, "rm_visit")),
            "rm_minute": sum(self._minutes(event) for event in by_rm),
            "remote_call": sum(event.channel != "rm" for event in calls),
            "login": len(self._counting(365, "login")),
            "online_transaction": sum(event.channel in ONLINE for event in acted),
            "account_month": Decimal(len(self.days(0, 365)) * 12) / 365,
            "benefit": Decimal(_sum(self._counting(365, "benefit"))) / 100,
        }

    def _minutes(self, event: Event) -> int:
        usual = contribution().minutes.get(event.type)
        return 0 if usual is None else (event.data or {}).get("minutes", usual)


def ago(day: date, days: int) -> date:
    return day - timedelta(days=days)


def _fen(amount: Decimal) -> int:
    return int(amount.quantize(Decimal(1), ROUND_HALF_UP))


def _sum(events: Iterable[Event]) -> int:
    return sum(event.amount or 0 for event in events)


def _motive(spends: Sequence[Event]) -> str | None:
    total = _sum(spends)
    by_motive = Counter[str]()
    for event in spends:
        if event.purpose:
            by_motive[event.purpose] += event.amount or 0
    best = sorted(by_motive.items(), key=lambda item: (-item[1], item[0]))
    if total and best and best[0][1] >= 0.35 * total:
        return best[0][0]
    return "mixed" if total else None
