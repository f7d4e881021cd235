"""What moves between a customer's own holdings, and the great sums that come and leave."""

from datetime import datetime

import numpy as np
from numpy.random import Generator

from bihuan.demo import calendar, design
from bihuan.demo.holdings import NO_TERM, OPEN, Holdings
from bihuan.demo.movements import TYPE, Movements, channel, movements, together
from bihuan.demo.people import Ints, People

FUND_TRADES = 1.3  # a fund holder, in the window
GREAT_INFLOW_SHARE = 0.03
FADING_LOSS = (0.35, 0.8)  # share of AUM that a fading customer moves away


def own_trades(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """Purchases, fund trades, maturities, redemptions, each with its leg on the demand deposit."""
    return together(
        [
            _purchases(people, holdings, as_of, rng),
            _fund_trades(people, holdings, as_of, rng),
            _endings(people, holdings, as_of),
        ]
    )


def great_sums(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """Windfalls, and the money that those about to leave take away."""
    return together(
        [
            _windfalls(people, holdings, as_of, rng),
            _departures(people, holdings, as_of, rng),
        ]
    )


def _with_leg(people: People, holdings: Holdings, trade: Movements, purpose: str) -> Movements:
    """The trade and, at the same moment, the same sum on the customer's demand deposit."""
    purse = holdings.held_by("demand_deposit", len(people))[trade.customer]
    leg = movements(
        trade.customer, trade.at, "adjustment", holding=purse, fen=-trade.fen, booked=True,
        kind="own", purpose=purpose,
    )  # fmt: skip
    return together([trade, leg])


def _trade_channel(people: People, who: Ints, rng: Generator) -> Ints:
    digital = rng.random(len(who)) < people.digital[who]
    return np.where(digital, channel("app"), channel("branch"))


def _purchases(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    recent = holdings.is_asset & ~holdings.is_demand & (holdings.opened < design.WINDOW_DAYS)
    at = np.flatnonzero(recent)
    who = holdings.customer[at]
    trade = movements(
        who,
        calendar.moments(as_of, holdings.opened[at], calendar.office_hours(len(at), rng)),
        "purchase",
        holding=at,
        fen=holdings.fen[at],
        booked=True,
        channel=_trade_channel(people, who, rng),
        kind="own",
        purpose="purchase",
    )
    return _with_leg(people, holdings, trade, "purchase")


def _fund_trades(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """Small purchases and redemptions, which together sell less than was bought at first."""
    funds = holdings.of("fund")
    funds = funds[(holdings.closed[funds] == OPEN) & (holdings.opened[funds] > 10)]
    at = np.repeat(funds, np.minimum(rng.poisson(FUND_TRADES, len(funds)), 12))
    who = holdings.customer[at]
    span = np.minimum(holdings.opened[at], design.WINDOW_DAYS) - people.stopped[who] - 1
    days = people.stopped[who] + (rng.random(len(at)) * np.maximum(span, 0)).astype(np.int64)
    keep = span > 0
    at, who, days = at[keep], who[keep], days[keep]
    sells = rng.random(len(at)) < 0.35
    share = np.where(sells, -0.05, 0.08) * rng.uniform(0.3, 1, len(at))
    trade = movements(
        who,
        calendar.moments(as_of, days, calendar.office_hours(len(at), rng)),
        np.where(sells, TYPE["redemption"], TYPE["purchase"]),
        holding=at,
        fen=np.round(holdings.fen[at] * share).astype(np.int64),
        booked=True,
        channel=_trade_channel(people, who, rng),
        kind="own",
    )
    return _with_leg(people, holdings, trade, "purchase")


def _endings(people: People, holdings: Holdings, as_of: datetime) -> Movements:
    """Terms run out by themselves; what has no term was redeemed."""
    over = holdings.is_asset & (holdings.closed > OPEN) & (holdings.closed < design.WINDOW_DAYS)
    at = np.flatnonzero(over & ~holdings.is_demand)
    ran_out = holdings.matures[at] != NO_TERM
    who = holdings.customer[at]
    trade = movements(
        who,
        calendar.moments(as_of, holdings.closed[at], np.where(ran_out, 1.0, 10.0)),
        np.where(ran_out, TYPE["adjustment"], TYPE["redemption"]),
        holding=at,
        fen=-holdings.fen[at],
        booked=True,
        channel=np.where(ran_out, -1, channel("app")),
        kind="own",
        purpose="maturity",
    )
    return _with_leg(people, holdings, trade, "maturity")


def _windfalls(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    lucky = np.isin(people.pattern, (design.STEADY, design.NEW)) & ~people.is_prospect
    who = np.flatnonzero(lucky & (rng.random(len(people)) < GREAT_INFLOW_SHARE))
    days = (rng.random(len(who)) * np.minimum(people.tenure[who], 120)).astype(np.int64)
    fen = np.exp(people.wealth[who]) * rng.uniform(0.25, 0.9, len(who)) * 100 + 1_000_000
    return movements(
        who,
        calendar.moments(as_of, days, calendar.office_hours(len(who), rng)),
        "transfer_in",
        holding=holdings.held_by("demand_deposit", len(people))[who],
        fen=np.round(fen).astype(np.int64),
        booked=True,
        kind="external",
        party=rng.integers(1, 90_000, len(who)),
    )


def _departures(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """A good part of the money of most who are fading goes to their account elsewhere."""
    fading = (people.pattern == design.FADING) & ~people.is_prospect
    who = np.flatnonzero(fading & (rng.random(len(people)) < 0.8))
    loss = rng.uniform(*FADING_LOSS, len(who))
    days = rng.integers(2, 80, len(who))
    return movements(
        who,
        calendar.moments(as_of, days, calendar.office_hours(len(who), rng)),
        "transfer_out",
        holding=holdings.held_by("demand_deposit", len(people))[who],
        fen=-np.round(np.exp(people.wealth[who]) * loss / (1 - loss) * 100).astype(np.int64) - 100,
        booked=True,
        channel=_trade_channel(people, who, rng),
        kind="own",
        purpose="moving_money",
    )
