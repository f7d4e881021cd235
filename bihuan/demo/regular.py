"""What comes by the calendar: salaries, pensions, interest, fees, debits, instalments, pay runs."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.random import Generator

from bihuan.demo import calendar, design
from bihuan.demo.holdings import OPEN, Holdings
from bihuan.demo.movements import NONE, Movements, movements, together
from bihuan.demo.people import Floats, Ints, People

PAY_DAYS = (5, 8, 10, 12, 15, 20, 25, 28)
QUARTER_MONTHS = (3, 6, 9, 12)
INTEREST_DAY, PENSION_DAY, FEE_DAY = 21, 15, 2
DEBIT_SHARE, FEE_SHARE = 0.22, 0.08
MONTHLY_PAYMENT = {"consumer_loan": 1 / 180, "business_loan": 1 / 280, "mortgage": 1 / 220}
SALARY_STAYS_SHARE = 0.7  # of fading customers; the others' employer pays elsewhere now
STAFF_COST_FEN = 720_000  # a head and month


@dataclass(frozen=True, slots=True)
class Due:
    """Bookings of one kind: whose, how many days ago, and how much (fen, in is positive)."""

    who: Ints
    days: Ints
    fen: Floats
    party: int | Ints = NONE
    about: int | Ints = NONE


def by_calendar(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """Every kind of regular booking, on the customers' demand deposits."""
    bank = _Bank(people, holdings, as_of)
    return together(
        [
            bank.book("salary", _salaries(bank, rng), 10, kind="payroll", purpose="salary"),
            bank.book("pension", _pensions(bank, rng), 8, kind="external", purpose="pension"),
            bank.book("interest", _interest(bank), 2, kind="own", purpose="interest"),
            bank.book("fee", _fees(bank, rng), 3, kind="own", purpose="fee"),
            bank.book("auto_debit", _debits(bank, rng), 6, kind="merchant", purpose="household"),
            *(
                bank.book("loan_payment", _payments(bank, loan, rng), 5, kind="own", purpose="loan")
                for loan in MONTHLY_PAYMENT
            ),
            bank.book(
                "insurance_premium", _premiums(bank, rng), 9, kind="external", purpose="insurance"
            ),
            bank.book("payroll_payment", _pay_runs(bank, rng), 9, kind="payroll", purpose="salary"),
        ]
    )


@dataclass(frozen=True, slots=True)
class _Bank:
    people: People
    holdings: Holdings
    as_of: datetime

    def months(
        self, who: Ints, day: Ints, *, until: Ints | int = 0, every: int = 1
    ) -> tuple[Ints, Ints]:
        """(customers, days ago) of each month's day since opening, up to `until` days ago."""
        days = calendar.monthly(self.as_of, day)[:, ::every]
        first = np.minimum(self.people.tenure[who], design.WINDOW_DAYS)[:, None]
        last = np.broadcast_to(np.asarray(until), len(who))[:, None]
        row, column = np.nonzero((days >= last) & (days >= 0) & (days < first))
        return who[row], days[row, column]

    def book(self, type_name: str, due: Due, hour: float, *, kind: str, purpose: str) -> Movements:
        return movements(
            due.who,
            calendar.moments(self.as_of, due.days, hour + due.who % 60 / 60),
            type_name,
            holding=self.holdings.held_by("demand_deposit", len(self.people))[due.who],
            fen=np.round(due.fen).astype(np.int64),
            booked=True,
            kind=kind,
            purpose=purpose,
            party=due.party,
            about=due.about,
        )


def _salaries(bank: _Bank, rng: Generator) -> Due:
    people = bank.people
    who = np.flatnonzero(people.has_salary & ~people.is_prospect)
    ends = np.isin(people.pattern, (design.GONE, design.ASLEEP))
    until = np.where(ends, people.stopped, 0)
    moved = (people.pattern == design.FADING) & (rng.random(len(people)) > SALARY_STAYS_SHARE)
    until = np.where(moved, 70, until)
    payer = people.number // 40 + 500_000
    day = np.array(PAY_DAYS)[payer % len(PAY_DAYS)]
    at, days = bank.months(who, day[who], until=until[who])
    fen = people.income[at] / 13 * 100 * rng.normal(1, 0.03, len(at))
    return Due(at, days, fen, party=payer[at])


def _pensions(bank: _Bank, rng: Generator) -> Due:
    people = bank.people
    who = np.flatnonzero(people.has_pension & ~people.is_prospect)
    at, days = bank.months(who, np.full(len(who), PENSION_DAY), until=_left(people)[who])
    fen = people.income[at] / 14 * 100 * rng.normal(1, 0.005, len(at))
    return Due(at, days, fen, party=1)


def _interest(bank: _Bank) -> Due:
    who = np.flatnonzero(~bank.people.is_prospect)
    at, days = bank.months(who, np.full(len(who), INTEREST_DAY), until=_left(bank.people)[who])
    month = (calendar.today(bank.as_of) - days.astype("timedelta64[D]")).astype("datetime64[M]")
    quarter = np.isin(month.astype(int) % 12 + 1, QUARTER_MONTHS)
    at, days = at[quarter], days[quarter]
    held = bank.holdings.fen[bank.holdings.held_by("demand_deposit", len(bank.people))[at]]
    return Due(at, days, np.maximum(held * design.RETAIL["demand_deposit"].rate / 4, 1))


def _fees(bank: _Bank, rng: Generator) -> Due:
    stays = ~bank.people.is_prospect & (bank.people.pattern != design.GONE)
    who = np.flatnonzero(stays & (rng.random(len(stays)) < FEE_SHARE))
    at, days = bank.months(who, np.full(len(who), FEE_DAY), every=2)
    return Due(at, days, np.full(len(at), -400.0))


def _debits(bank: _Bank, rng: Generator) -> Due:
    people = bank.people
    stays = people.is_person & ~people.is_prospect & (people.pattern != design.GONE)
    who = np.flatnonzero(stays & (rng.random(len(people)) < DEBIT_SHARE))
    at, days = bank.months(who, rng.integers(1, 28, len(who)), every=2)
    return Due(at, days, -rng.lognormal(np.log(16_000), 0.5, len(at)), party=at % 40 + 900)


def _payments(bank: _Bank, loan: str, rng: Generator) -> Due:
    at = bank.holdings.of(loan)
    who = bank.holdings.customer[at[bank.holdings.closed[at] == OPEN]]
    customer, days = bank.months(who, rng.integers(1, 28, len(who)))
    holding = bank.holdings.held_by(loan, len(bank.people))[customer]
    since = days < bank.holdings.opened[holding]
    owed = bank.holdings.fen[holding][since]
    return Due(customer[since], days[since], -owed * MONTHLY_PAYMENT[loan])


def _premiums(bank: _Bank, rng: Generator) -> Due:
    at = bank.holdings.of("insurance")
    at = at[(bank.holdings.closed[at] == OPEN) & (bank.holdings.opened[at] > 365)]
    days = rng.integers(0, 365, len(at))
    return Due(bank.holdings.customer[at], days, -bank.holdings.fen[at] * 0.05, party=2)


def _pay_runs(bank: _Bank, rng: Generator) -> Due:
    people = bank.people
    who = bank.holdings.customer[bank.holdings.of("payroll")]
    who = who[~people.is_person[who]]
    day = np.array(PAY_DAYS)[people.number[who] % len(PAY_DAYS)]
    customer, days = bank.months(who, day, until=people.stopped[who])
    staff = np.maximum(people.income / 400_000, 2)[customer]
    shrunk = np.where((people.pattern == design.FADING)[customer] & (days < 90), 0.6, 1.0)
    heads = np.maximum(staff * shrunk * rng.normal(1, 0.02, len(customer)), 1).astype(np.int64)
    return Due(customer, days, -heads * float(STAFF_COST_FEN), about=heads)


def _left(people: People) -> Ints:
    """Until how many days ago money still came in: always, but for those who left."""
    return np.where(people.pattern == design.GONE, people.stopped, 0)
