"""The ledgers closed and the movements written down as events of the import."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import polars as pl
from numpy.random import Generator

from bihuan.demo import activity, calendar, design, ledger, regular, trades
from bihuan.demo.holdings import OPEN, Holdings, account_ids, holding_ids, is_closed
from bihuan.demo.movements import (
    HERE,
    KINDS,
    MOTIVES,
    NONE,
    PURPOSES,
    TYPE,
    TYPES,
    Movements,
    channel,
    movements,
    together,
)
from bihuan.demo.people import Flags, Floats, Ints, People, customer_ids

LEAST_SPENT, MOST_SPENT = 0.8, 1.0  # of what comes in, what goes out again
POCKET_MONEY = 0.15  # of the demand balance, spent by those with no income here


def draw_events(
    people: People, holdings: Holdings, as_of: datetime, rng: Generator
) -> tuple[pl.DataFrame, Ints]:
    """The block's events, by customer and time, and every holding's balance now (fen)."""
    acts = activity.own_accord(people, holdings, as_of, rng)
    steady = regular.by_calendar(people, holdings, as_of, rng)
    acts = _within_means(people, holdings, acts, steady, rng)
    moved = together(
        [
            acts,
            steady,
            trades.own_trades(people, holdings, as_of, rng),
            trades.great_sums(people, holdings, as_of, rng),
        ]
    )
    opening = _openings(holdings, moved)
    moved = together([_carried_forward(holdings, opening, as_of), moved])
    moved = _in_order(together([moved, _payouts(people, holdings, moved, as_of)]))
    after, balance = _balances(holdings, moved)
    return _frame(people, holdings, moved, after), balance


def _in_order(moved: Movements) -> Movements:
    return moved.take(np.lexsort((moved.at, moved.customer)))


def _within_means(
    people: People, holdings: Holdings, acts: Movements, steady: Movements, rng: Generator
) -> Movements:
    """Scale what customers spend to what they receive; to the fen, and never to nothing."""
    n = len(people)
    income = _sum(n, acts, acts.fen > 0) + _sum(n, steady, steady.fen > 0)
    spent, fixed = -_sum(n, acts, acts.fen < 0), -_sum(n, steady, steady.fen < 0)
    purse = holdings.held_by("demand_deposit", n)
    pocket = np.where(purse >= 0, holdings.fen[purse], 0) * POCKET_MONEY
    wanted = income * rng.uniform(LEAST_SPENT, MOST_SPENT, n) + pocket - fixed
    scale = np.clip(wanted / np.maximum(spent, 1), 0.02, 4.0)[acts.customer]
    outgoing = acts.booked & (acts.fen < 0)
    fen = np.where(outgoing, np.minimum(np.round(acts.fen * scale), -100), acts.fen)
    return replace(acts, fen=fen.astype(np.int64))


def _sum(n: int, moved: Movements, where: Flags) -> Floats:
    counted = where & moved.booked
    sums = np.zeros(n)
    np.add.at(sums, moved.customer[counted], moved.fen[counted])
    return sums


def _openings(holdings: Holdings, moved: Movements) -> Ints:
    """What each ledger starts with: a deposit so much that it is never overdrawn on the way."""
    booked = moved.take(np.flatnonzero(moved.booked))
    booked = booked.take(np.lexsort((booked.at, booked.holding)))
    needed = ledger.opening_balances(booked.holding, booked.fen, holdings.fen)
    is_inside = (holdings.opened < design.WINDOW_DAYS) | (holdings.closed >= design.WINDOW_DAYS)
    product = np.where(is_inside, 0, holdings.fen)
    return np.where(holdings.is_demand, needed, product) * holdings.is_asset


def _carried_forward(holdings: Holdings, opening: Ints, as_of: datetime) -> Movements:
    """The first entry of each ledger: what was there when the window or the account opened."""
    at = np.flatnonzero(opening > 0)
    days = np.minimum(holdings.opened[at], design.WINDOW_DAYS)
    is_first = days < design.WINDOW_DAYS
    return movements(
        holdings.customer[at],
        calendar.moments(as_of, days, np.zeros(len(at))),
        np.where(is_first, TYPE["cash_deposit"], TYPE["adjustment"]),
        holding=at,
        fen=opening[at],
        booked=True,
        channel=np.where(is_first, channel("branch"), NONE),
        purpose="opening_balance",
    )


def _payouts(people: People, holdings: Holdings, moved: Movements, as_of: datetime) -> Movements:
    """Those who left took the rest with them; who kept the account left small change in it."""
    _, balance = _balances(holdings, _in_order(moved))
    left = holdings.is_demand & (people.pattern[holdings.customer] == design.GONE)
    kept = np.where(is_closed(people), 0, people.number % 40 * 100)[holdings.customer]
    at = np.flatnonzero(left & (balance > kept))
    who = holdings.customer[at]
    return movements(
        who,
        calendar.moments(as_of, people.stopped[who], np.full(len(at), 23.95)),
        "transfer_out",
        holding=at,
        fen=(kept - balance)[at],
        booked=True,
        channel=np.where(people.digital[who] > 0.5, channel("app"), channel("branch")),
        kind="own",
        purpose="moving_money",
    )


def _balances(holdings: Holdings, moved: Movements) -> tuple[Ints, Ints]:
    """The balance after each booking, and at the end; holdings without a ledger keep their sum."""
    booked = np.flatnonzero(moved.booked)
    order = booked[np.argsort(moved.holding[booked], kind="stable")]
    after = np.zeros(len(moved), dtype=np.int64)
    after[order] = ledger.running(moved.holding[order], moved.fen[order])
    balance = np.where(holdings.is_asset, 0, np.where(holdings.closed > OPEN, 0, holdings.fen))
    balance[moved.holding[order]] = after[order]
    return after, balance


def _frame(people: People, holdings: Holdings, moved: Movements, after: Ints) -> pl.DataFrame:
    has_sum = moved.fen != 0
    sequence = _place(moved.customer)
    who = people.ids.gather(moved.customer)
    return pl.DataFrame(
        {
            "event_id": who + "-" + pl.Series(sequence).cast(pl.String).str.zfill(4),
            "customer_id": who,
            "type": pl.Series(TYPES).gather(moved.type),
            "occurred_at": pl.Series(moved.at).cast(pl.Datetime("us", "UTC")),
            "account_id": _some(has_sum, account_ids(people).gather(moved.customer)),
            "holding_id": _coded(moved.holding, holding_ids(people, holdings)),
            "amount": _some(has_sum, pl.Series(np.abs(moved.fen))),
            "direction": _some(has_sum, pl.Series(np.where(moved.fen > 0, "in", "out"))),
            "currency": _some(has_sum, pl.Series(["CNY"]).new_from_index(0, len(moved))),
            "balance_after": _some(moved.booked, pl.Series(after)),
            "channel": _coded(moved.channel, pl.Series(design.CHANNELS)),
            "counterparty": _counterparty(moved.party),
            "counterparty_kind": _coded(moved.kind, pl.Series(KINDS)),
            "purpose": _purpose(moved),
            "sequence": sequence,
            "data": _data(moved),
        }
    )


def _place(customer: Ints) -> Ints:
    """1, 2, 3 … within each run of one customer."""
    starts = np.flatnonzero(np.diff(customer, prepend=NONE))
    return np.arange(len(customer)) - np.repeat(starts, np.diff(starts, append=len(customer))) + 1


def _counterparty(party: Ints) -> pl.Series:
    """Opaque numbers of outsiders, customer ids of those who bank here."""
    outside = "P" + pl.Series(party).cast(pl.String).str.zfill(7)
    here = customer_ids(party - HERE)
    return _some(party >= 0, here.zip_with(pl.Series(party > HERE), outside))


def _purpose(moved: Movements) -> pl.Series:
    """What the money was for; of card spend, its motive."""
    is_spent = moved.type == TYPE["card_spend"]
    motive = _coded(np.where(is_spent, moved.about, NONE), pl.Series(MOTIVES))
    return motive.zip_with(pl.Series(is_spent), _coded(moved.purpose, pl.Series(PURPOSES)))


def _data(moved: Movements) -> pl.Series:
    """What the type adds, as JSON: pay runs their heads, views their ware."""
    is_run, is_spent = (moved.type == TYPE[name] for name in ("payroll_payment", "card_spend"))
    viewed = _coded(np.where(is_run | is_spent, NONE, moved.about), pl.Series(design.CATEGORIES))
    heads = _some(is_run, pl.Series(moved.about).cast(pl.String))
    parts = pl.DataFrame(
        {"heads": '{"headcount":' + heads + "}", "viewed": '{"category":"' + viewed + '"}'}
    )
    return parts.select(pl.coalesce("heads", "viewed")).to_series()


def _coded(codes: Ints, words: pl.Series) -> pl.Series:
    """The words of the codes; null for NONE."""
    known = pl.Series(codes).set(pl.Series(codes == NONE), None)
    return words.gather(known)


def _some(where: Flags, values: pl.Series) -> pl.Series:
    return values.set(pl.Series(~where), None)
