"""What the customers hold: categories, openings, maturities and the sums in them."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.random import Generator

from bihuan.demo import calendar, design
from bihuan.demo.people import Flags, Floats, Ints, People

OPEN = -1  # of `closed`: still open
NO_TERM = np.iinfo(np.int64).max
SMALLEST_PRODUCT_FEN = 100_000
LOANS = ("consumer_loan", "business_loan", "mortgage", "trade_finance", "bill")
IS_ASSET = np.array([category.weight > 0 for category in design.RETAIL.values()])


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """One array an attribute, one entry a holding; days count back from the as-of day.

    `customer` is the position in the block's people; `matures` is negative ahead, NO_TERM when
    there is none; `closed` is OPEN or days ago; `fen` is the principal, debt or 0.
    """

    customer: Ints
    category: Ints
    ordinal: Ints  # 0, or 1 for one that has been renewed since
    opened: Ints
    matures: Ints
    closed: Ints
    fen: Ints
    line_fen: Ints

    def __len__(self) -> int:
        return len(self.customer)

    @property
    def is_asset(self) -> Flags:
        return IS_ASSET[self.category]

    @property
    def is_demand(self) -> Flags:
        return self.category == design.DEMAND

    def of(self, category: str) -> Ints:
        """Positions of the holdings of one category that were not renewed away."""
        wanted = self.category == design.CATEGORIES.index(category)
        return np.flatnonzero(wanted & (self.ordinal == 0))

    def held_by(self, category: str, customers: int) -> Ints:
        """Position of each customer's holding of the category, -1 if there is none."""
        found = np.full(customers, -1, dtype=np.int64)
        at = self.of(category)
        found[self.customer[at]] = at
        return found


def draw_holdings(people: People, rng: Generator) -> Holdings:
    """Every customer holds a demand deposit; the rest by the logits of the design."""
    held = _held(people, rng)
    fen = _sums(people, held, rng)
    held &= (fen >= SMALLEST_PRODUCT_FEN) | ~IS_ASSET | (np.arange(len(IS_ASSET)) == design.DEMAND)
    customer, category = np.nonzero(held)
    opened, matures = _dates(people, customer, category, rng)
    matures, closed = _ends(people, customer, category, matures=matures, rng=rng)
    opened = np.maximum(opened, np.where(closed > OPEN, closed + 1, 0))
    current = Holdings(
        customer=customer,
        category=category,
        ordinal=np.zeros(len(customer), dtype=np.int64),
        opened=opened,
        matures=matures,
        closed=closed,
        fen=fen[customer, category],
        line_fen=_lines(people, customer, category, fen[customer, category], rng),
    )
    return _with_renewed(people, current, rng)


def _held(people: People, rng: Generator) -> Flags:
    logits = hold_logits(people)
    held = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    held[:, design.CATEGORIES.index("payroll")] |= people.has_salary
    adult = (people.age >= 18) | ~people.is_person
    held[:, _columns("credit_card", "consumer_loan", "mortgage", "business_loan")] &= adult[:, None]
    held[people.is_prospect] = False
    return held


def hold_logits(people: People) -> Floats:
    """(customers, categories): log odds of holding, by party, wealth and age."""
    table = np.full((3, len(design.CATEGORIES), 3), design.NEVER)
    for row, (name, category) in enumerate(design.RETAIL.items()):
        for party in range(len(design.PARTY_TYPES)):
            special = design.BUSINESS.get(party, {}).get(name)
            retail = party != design.COMPANY or name not in design.NOT_FOR_COMPANIES
            if special or (category.hold and retail):
                table[party, row] = special[0] if special else category.hold
    basis = np.stack([np.ones(len(people)), people.affluence, people.years], axis=1)
    return np.einsum("nck,nk->nc", table[people.party], basis)


def _sums(people: People, held: Flags, rng: Generator) -> Ints:
    """Assets share the customer's AUM by weight; debts follow income; the rest holds none."""
    n, k = held.shape
    weights = np.array([category.weight for category in design.RETAIL.values()])
    pull = weights * held * rng.lognormal(0, 0.7, (n, k))
    share = pull / np.maximum(pull.sum(axis=1, keepdims=True), 1e-9)
    yuan = np.exp(people.wealth)[:, None] * share
    for name, multiple in (
        ("consumer_loan", 0.5),
        ("business_loan", 0.12),
        ("mortgage", 7.0),
        ("credit_card", 0.05),
        ("trade_finance", 0.05),
        ("bill", 0.03),
    ):
        debt = people.income * multiple * rng.lognormal(0, 0.5, n)
        yuan[:, design.CATEGORIES.index(name)] = np.where(
            name == "business_loan", np.minimum(debt, people.income * 0.3), debt
        )
    return np.round(yuan * 100).astype(np.int64)


def _dates(people: People, customer: Ints, category: Ints, rng: Generator) -> tuple[Ints, Ints]:
    n = len(customer)
    tenure = people.tenure[customer]
    term = _terms(category, rng)
    ahead = np.ceil(rng.random(n) * np.minimum(term, 2000)).astype(np.int64)
    anywhen = np.minimum((rng.random(n) ** 1.5 * tenure).astype(np.int64), tenure)
    opened = np.where(term < NO_TERM, np.minimum(term - ahead, tenure), anywhen)
    opened = np.where(category == design.DEMAND, tenure, opened)
    return opened, np.where(term < NO_TERM, opened - term, NO_TERM)


def _terms(category: Ints, rng: Generator) -> Ints:
    term = np.full(len(category), NO_TERM)
    for code, entry in enumerate(design.RETAIL.values()):
        of = category == code
        if entry.term_days:
            term[of] = rng.choice(entry.term_days, int(of.sum()))
    for name, days in (
        ("consumer_loan", 1095),
        ("business_loan", 365),
        ("mortgage", 7300),
        ("bill", 182),
    ):
        term[category == design.CATEGORIES.index(name)] = days
    return term


def _ends(
    people: People, customer: Ints, category: Ints, *, matures: Ints, rng: Generator
) -> tuple[Ints, Ints]:
    """Those who left took all; of those fading, half the terms ended and were not renewed."""
    n = len(customer)
    pattern, stopped = people.pattern[customer], people.stopped[customer]
    has_term = (matures != NO_TERM) & IS_ASSET[category]
    lapsed = (pattern == design.FADING) & has_term & (rng.random(n) < 0.5)
    left = (pattern == design.GONE) & (category != design.DEMAND)
    ended = np.where(lapsed, rng.integers(31, 60, n), stopped + rng.integers(1, 5, n))
    closed = np.where(lapsed | left, ended, OPEN)
    return np.where((lapsed | left) & has_term, ended, matures), closed


def _lines(people: People, customer: Ints, category: Ints, fen: Ints, rng: Generator) -> Ints:
    card, loan = (design.CATEGORIES.index(name) for name in ("credit_card", "business_loan"))
    income = people.income[customer] * 100
    line = np.where(category == card, np.round(income * 0.3, -5) + 500_000, 0)
    room = fen * (1 + rng.random(len(fen)))
    line = np.where(category == loan, np.round(room, -6), line)
    return np.maximum(line, np.where(line > 0, fen, 0)).astype(np.int64)


def _with_renewed(people: People, current: Holdings, rng: Generator) -> Holdings:
    """Add the forerunners of terms that began by renewal inside the window."""
    term = current.opened - current.matures
    renewed = (
        current.is_asset
        & (current.matures != NO_TERM)
        & (current.closed == OPEN)
        & (current.opened > 3)
        & (current.opened < design.WINDOW_DAYS - 5)
        & (current.opened + term <= people.tenure[current.customer])
        & (rng.random(len(current)) < 0.6)
    )
    at = np.flatnonzero(renewed)
    end = current.opened[at]
    columns = {
        "customer": current.customer[at],
        "category": current.category[at],
        "ordinal": np.ones(len(at), dtype=np.int64),
        "opened": end + term[at],
        "matures": end,
        "closed": end,
        "fen": np.round(current.fen[at] * rng.uniform(0.6, 1.0, len(at))).astype(np.int64),
        "line_fen": np.zeros(len(at), dtype=np.int64),
    }
    return Holdings(
        **{name: np.concatenate([getattr(current, name), more]) for name, more in columns.items()}
    )


def account_ids(people: People) -> pl.Series:
    return "A" + pl.Series(people.number).cast(pl.String).str.zfill(8)


def is_closed(people: People) -> Flags:
    """Of those who left, the ones who also closed their account."""
    return (people.pattern == design.GONE) & (people.number % 5 < 2)


def accounts_frame(people: People, as_of: datetime) -> pl.DataFrame:
    """One current account a customer; prospects have none."""
    closed = is_closed(people)
    ended = calendar.dates(as_of, np.maximum(people.stopped - 1, 0))
    frame = pl.DataFrame(
        {
            "account_id": account_ids(people),
            "customer_id": people.ids,
            "role": "owner",
            "currency": "CNY",
            "opened_at": calendar.dates(as_of, people.tenure),
            "closed_at": ended.set(pl.Series(~closed), None),
            "status": pl.Series(np.where(closed, "closed", "open")),
        }
    )
    return frame.filter(~people.is_prospect)


def holding_ids(people: People, holdings: Holdings) -> pl.Series:
    who = people.ids.gather(holdings.customer)
    what = pl.Series(design.CATEGORIES).gather(holdings.category)
    before = pl.Series(np.where(holdings.ordinal > 0, "-before", ""))
    return who + "-" + what + before


def holdings_frame(
    people: People, holdings: Holdings, balance_fen: Ints, as_of: datetime
) -> pl.DataFrame:
    """The holdings in the columns of the import, with their balances now; money in fen."""
    closed_too = is_closed(people)[holdings.customer] & (holdings.closed == OPEN)
    closed = np.where(closed_too, people.stopped[holdings.customer] - 1, holdings.closed)
    has_term, is_sum = holdings.matures != NO_TERM, holdings.fen > 0
    rates = np.array([category.rate for category in design.RETAIL.values()])[holdings.category]
    months = np.where(has_term, (holdings.opened - np.minimum(holdings.matures, 10**6)) // 30, 0)
    is_loan = np.isin(holdings.category, [design.CATEGORIES.index(name) for name in LOANS])
    return pl.DataFrame(
        {
            "holding_id": holding_ids(people, holdings),
            "customer_id": people.ids.gather(holdings.customer),
            "account_id": account_ids(people).gather(holdings.customer),
            "category": pl.Series(design.CATEGORIES).gather(holdings.category),
            "currency": "CNY",
            "opened_at": calendar.dates(as_of, holdings.opened),
            "matures_at": _some(
                has_term, calendar.dates(as_of, np.where(has_term, holdings.matures, 0))
            ),
            "closed_at": _some(closed > OPEN, calendar.dates(as_of, np.maximum(closed, 0))),
            "balance": _some(holdings.is_asset | is_sum, pl.Series(balance_fen)),
            "balance_at": _some(
                holdings.is_asset | is_sum, pl.Series([as_of]).new_from_index(0, len(holdings))
            ),
            "credit_line": _some(holdings.line_fen > 0, pl.Series(holdings.line_fen)),
            "amount": _some(is_sum & ~holdings.is_demand, pl.Series(holdings.fen)),
            "term_months": _some(has_term, pl.Series(months)),
            "payment": _some(is_loan, pl.Series(holdings.fen // 200)),
            "status": pl.Series(np.where(closed > OPEN, "closed", "open")),
            "rate": _some(rates > 0, pl.Series(rates)),
        }
    )


def _some(where: Flags, values: pl.Series) -> pl.Series:
    return values.set(pl.Series(~where), None)


def _columns(*names: str) -> list[int]:
    return [design.CATEGORIES.index(name) for name in names]
