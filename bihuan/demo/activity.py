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
    together,
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
    "cash_deposit": 0.2, "card_spend": -0.03, "fx_exchange": -0.4, "settlement_in": 0.25,
    "settlement_out": -0.23,
}  # fmt: skip
KIND = {
    "payment": "merchant", "card_spend": "merchant", "transfer_out": "external",
    "transfer_in": "external", "settlement_in": "external", "settlement_out": "external",
    "fx_exchange": "external",
}  # fmt: skip
BY_CARD_SHARE = 0.5  # of the payments of a card holder
IN_PERSON = ("branch_visit", "call_in", "message_answered")
BY_MANAGER_SHARE = 0.5  # of the managed customers' contacts in person
FAVOURITE_MOTIVE_SHARE = 0.45  # of a customer's card spend
BURST_SHARE, BURST_DAYS = 0.03, 7  # customers who look at one ware again and again of late
APP_ONLY = ("login", "product_view", "content_read", "application_abandoned")
COUNTERPARTIES = 14  # a firm's circle
RECENT_OF_FADING = 0.1  # share of a fading customer's activity that falls in the last 90 days


def own_accord(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
    """What the window holds of it, until the day each customer's activity stopped."""
    return together([_habitual(people, holdings, as_of, rng), _bursts(people, as_of, rng)])


def _bursts(people: People, as_of: datetime, rng: Generator) -> Movements:
    """Repeated views of one ware in the last days: somebody is about to decide."""
    active = np.isin(people.pattern, (design.STEADY, design.NEW)) & ~people.is_prospect
    keen = np.flatnonzero(active & (people.tenure > BURST_DAYS) & (people.digital > 0.4))
    keen = keen[rng.random(len(keen)) < BURST_SHARE]
    who = np.repeat(keen, rng.integers(3, 7, len(keen)))
    days = rng.integers(0, BURST_DAYS, len(who))
    return movements(
        who,
        calendar.moments(as_of, days, calendar.waking_hours(len(who), rng)),
        "product_view",
        channel=channel("app"),
        about=1 + people.number[who] % 9,
    )


def _habitual(people: People, holdings: Holdings, as_of: datetime, rng: Generator) -> Movements:
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
        about=_abouts(people, who, act, rng),
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
    has_card = holdings.held_by("credit_card", len(people))[who] != NONE
    by_card = has_card & (rng.random(len(who)) < BY_CARD_SHARE)
    act = np.where((act == TYPE["payment"]) & by_card, TYPE["card_spend"], act)
    return np.where((act == TYPE["card_spend"]) & ~has_card, TYPE["payment"], act)


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
    chosen = np.where(names == "message_answered", channel("wechat"), chosen)
    by_manager = people.is_managed[who] & (rng.random(len(who)) < BY_MANAGER_SHARE)
    return np.where(np.isin(names, IN_PERSON) & by_manager, channel("rm"), chosen)


def _counterparties(people: People, who: Ints, kind: Ints, rng: Generator) -> Ints:
    """People deal with anyone; firms within a circle, of whom one in four banks here too."""
    n = len(who)
    place = people.number[who] * COUNTERPARTIES + (rng.random(n) ** 2 * COUNTERPARTIES).astype(
        np.int64
    )
    stranger = place * 7919 % 1_000_003
    firms = people.number[~people.is_person]
    if len(firms):
        here = firms[place * 31 % len(firms)]
        is_here = (place % 4 == 0) & (here != people.number[who])
        stranger = np.where(is_here, HERE + here, stranger)
    met = np.where(people.is_person[who], rng.integers(1, 90_000, n), stranger)
    return np.where(kind == NONE, NONE, met)


def _abouts(people: People, who: Ints, act: Ints, rng: Generator) -> Ints:
    viewed = (act == TYPE["product_view"]) | (act == TYPE["application_abandoned"])
    category = rng.integers(1, 10, len(act))
    motive = rng.integers(0, len(MOTIVES), len(act))
    favourite = rng.random(len(act)) < FAVOURITE_MOTIVE_SHARE
    motive = np.where(favourite, people.number[who] % len(MOTIVES), motive)
    spent = act == TYPE["card_spend"]
    return np.where(viewed, category, np.where(spent, motive, NONE))
