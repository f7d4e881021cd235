"""What customers do of their own accord: visits, payments, transfers, spending, settlement."""

from datetime import datetime

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bihuan.demo import calendar, design
from bihuan.demo.holdings import Holdings
from bihuan.demo.movements import (
    HERE,
    KINDS,
    MOTIVES,
    NONE,
    TYPE,
    TYPES,
    Movements,
    channel,
    movements,
)
from bihuan.demo.people import Ints, People

# Weight of each act for a customer wholly on the app, and for one wholly at the branch.
PERSON_ACTS = {
    "login": (0.27, 0.02),
    "product_view": (0.10, 0.0),
    "content_read": (0.03, 0.0),
    "application_abandoned": (0.006, 0.0),
    "activity_joined": (0.004, 0.015),
    "message_answered": (0.02, 0.01),
    "payment": (0.22, 0.05),
    "transfer_out": (0.09, 0.10),
    "transfer_in": (0.04, 0.08),
    "cash_withdrawal": (0.02, 0.25),
    "cash_deposit": (0.004, 0.15),
    "card_spend": (0.16, 0.10),
    "branch_visit": (0.006, 0.18),
    "call_in": (0.01, 0.05),
    "fx_exchange": (0.003, 0.004),
}
FIRM_ACTS = {
    "login": (0.20, 0.02),
    "product_view": (0.02, 0.0),
    "message_answered": (0.01, 0.01),
    "settlement_in": (0.34, 0.34),
    "settlement_out": (0.27, 0.27),
    "transfer_out": (0.08, 0.08),
    "payment": (0.03, 0.03),
    "branch_visit": (0.01, 0.12),
    "call_in": (0.02, 0.06),
    "fx_exchange": (0.012, 0.012),
}
# Amount as a share of a month's income or turnover (median); in is positive.
SIZE = {
    "payment": -0.03, "transfer_out": -0.16, "transfer_in": 0.2, "cash_withdrawal": -0.09,
    "cash_deposit": 0.2, "card_spend": -0.03, "fx_exchange": -0.4, "settlement_in": 0.12,
    "settlement_out": -0.11,
}  # fmt: skip
KIND = {
    "payment": "merchant", "card_spend": "merchant", "transfer_out": "external",
    "transfer_in": "external", "settlement_in": "external", "settlement_out": "external",
    "fx_exchange": "external",
}  # fmt: skip
APP_ONLY = ("login", "product_view", "content_read", "application_abandoned")
COUNTERPARTIES = 14  # a firm's circle
RECENT_OF_FADING = 0.1  # share of a fading customer's activity that falls in the last 90 days


def own_accord(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """Initiated events of the window, until the day each customer's activity stopped."""
    who = np.repeat(np.arange(len(people)), _counts(people, rng))
    act = _acts(people, holdings, who, rng)
    names = np.array(TYPES)[act]
    at = calendar.moments(as_of, _days(people, who, rng), calendar.waking_hours(len(who), rng))
    fen = _amounts(people, who, act, rng)
    is_card = act == TYPE["card_spend"]
    purse = np.where(is_card, holdings.held_by("credit_card", len(people))[who],
                     holdings.held_by("demand_deposit", len(people))[who])  # fmt: skip
    kinds = np.array([KINDS.index(KIND[name]) if name in KIND else NONE for name in TYPES])
    return movements(
        who,
        at,
        act,
        holding=np.where(fen != 0, purse, NONE),
        fen=fen,
        booked=(fen != 0) & ~is_card,
        channel=_channels(people, who, names, rng),
        kind=kinds[act],
        party=_counterparties(people, who, kinds[act], rng),
        about=_abouts(act, rng),
    )


def _counts(people: People, rng: Generator) -> Ints:
    median, sigma = np.array([design.ACTIVITY[key] for key in sorted(design.ACTIVITY)])[
        people.party
    ].T
    pace = np.array([habit.pace for habit in design.HABITS])[people.pattern]
    open_days = np.minimum(people.tenure, design.WINDOW_DAYS) - people.stopped
    habits = median * np.exp(sigma * rng.standard_normal(len(people)))
    mean = habits * pace * np.maximum(open_days, 0) / design.WINDOW_DAYS
    return np.where(people.is_prospect, 0, rng.poisson(np.minimum(mean, 500)))


def _days(people: People, who: Ints, rng: Generator) -> Ints:
    stopped = people.stopped[who]
    start = np.minimum(people.tenure[who], design.WINDOW_DAYS)
    spot = rng.random(len(who))
    late = rng.random(len(who)) < RECENT_OF_FADING
    fading = np.where(late, spot * 90, 90 + spot * (design.WINDOW_DAYS - 90))
    even = stopped + spot * np.maximum(start - stopped, 0)
    days = np.where(people.pattern[who] == design.FADING, fading, even).astype(np.int64)
    return np.minimum(days, start)


def _acts(people: People, holdings: Holdings, who: Ints, rng: Generator) -> Ints:
    chances = np.zeros((2, 2, len(TYPES)))
    for firm, table in enumerate((PERSON_ACTS, FIRM_ACTS)):
        for name, weights in table.items():
            chances[firm, :, TYPE[name]] = weights
    chances /= chances.sum(axis=2, keepdims=True)
    is_digital = (rng.random(len(who)) < people.digital[who]).astype(np.int64)
    rung = np.cumsum(chances, axis=2)[(~people.is_person[who]).astype(np.int64), 1 - is_digital]
    act = (rng.random(len(who))[:, None] > rung[:, :-1]).sum(axis=1)
    no_card = holdings.held_by("credit_card", len(people))[who] == NONE
    return np.where((act == TYPE["card_spend"]) & no_card, TYPE["payment"], act)


def _amounts(people: People, who: Ints, act: Ints, rng: Generator) -> Ints:
    size = np.array([SIZE.get(name, 0.0) for name in TYPES])[act]
    month = people.income[who] / 12 * 100
    drawn = size * month * rng.lognormal(0, 0.8, len(who))
    return np.where(size == 0, 0, np.sign(drawn) * np.maximum(np.abs(np.round(drawn)), 100)).astype(
        np.int64
    )


def _channels(people: People, who: Ints, names: NDArray[np.str_], rng: Generator) -> Ints:
    app, branch, remote = channel("app"), channel("branch"), channel("remote_bank")
    chosen = np.where(rng.random(len(who)) < people.digital[who], app, branch)
    chosen = np.where(np.isin(names, APP_ONLY), app, chosen)
    chosen = np.where(
        np.isin(names, ("branch_visit", "cash_deposit", "activity_joined")), branch, chosen
    )
    chosen = np.where(names == "call_in", remote, chosen)
    return np.where(names == "message_answered", channel("wechat"), chosen)


def _counterparties(people: People, who: Ints, kind: Ints, rng: Generator) -> Ints:
    """People deal with anyone; firms within a circle, of whom one in four banks here too."""
    n = len(who)
    place = people.number[who] * COUNTERPARTIES + (rng.random(n) ** 2 * COUNTERPARTIES).astype(
        np.int64
    )
    stranger = place * 7919 % 1_000_003
    firms = people.number[~people.is_person]
    if len(firms):
        here = HERE + firms[place * 31 % len(firms)]
        stranger = np.where(place % 4 == 0, here, stranger)
    met = np.where(people.is_person[who], rng.integers(1, 90_000, n), stranger)
    return np.where(kind == NONE, NONE, met)


def _abouts(act: Ints, rng: Generator) -> Ints:
    viewed = (act == TYPE["product_view"]) | (act == TYPE["application_abandoned"])
    category = rng.integers(1, 10, len(act))
    motive = rng.integers(0, len(MOTIVES), len(act))
    spent = act == TYPE["card_spend"]
    return np.where(viewed, category, np.where(spent, motive, NONE))
