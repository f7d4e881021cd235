"""Processes that stand still: pages go on answering in time, and nothing slips past a gate.

A stopped process keeps its port: the kernel accepts connections that nobody ever answers. It is
the hardest way to be down, since only time-outs notice it.
"""

import os
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import httpx
import psutil
import pytest

from tests.e2e.conftest import MORNING
from tests.e2e.running import RunningSuite, running_suite
from tests.e2e.test_loop import (
    RISK_CLASSES,
    assess,
    consent,
    contact,
    new_customer,
    offers,
    put_product,
    ready_customer,
)

HARD_SECONDS = 0.2
CONSENT_SECONDS = 0.1
LIMIT_SECONDS = 8  # of lease and sources; an idle lane is told every 5 s that nothing is missing
LIMITS = ("BIHUAN_STRATEGY_CONSENT_LEASE", "BIHUAN_STRATEGY_SOURCE_LIMIT")
DATABASE = "postgres"
CAREFUL, WITHDRAWN, FROZEN = "still-careful", "still-withdrawn", "still-frozen"
CAREFUL_CLASS = 2
SERVICES_DOWN = {
    ("segment", "segment-worker"): "memberships_old",
    ("feedback", "feedback-worker"): "outcomes_old",
    ("profile", "profile-worker"): "consent_lease_ended",
    ("strategy-worker",): "consent_lease_ended",
    ("strategy",): "unavailable",
    (DATABASE,): "budget_exceeded",
}


@pytest.fixture(scope="module")
def suite() -> Iterator[RunningSuite]:
    """A suite of its own whose leases are shorter, with one customer for each gate."""
    limits = dict.fromkeys(LIMITS, f"PT{LIMIT_SECONDS}S")
    with running_suite(BIHUAN_BUSINESS_NOW=MORNING, **limits) as running:
        for rating in RISK_CLASSES:
            put_product(running, rating)
        ready_customer(running, CAREFUL, CAREFUL_CLASS)
        for customer in (WITHDRAWN, FROZEN):
            ready_customer(running, customer, 5)
        consent(running, WITHDRAWN, "withdrawn")
        running.call("PUT", f"/v1/customers/{FROZEN}/flags", json={"is_frozen": True}, expect=200)
        running.eventually(lambda: not offers(running, WITHDRAWN) and not offers(running, FROZEN))
        yield running


@pytest.fixture(scope="module")
def ratings(suite: RunningSuite) -> dict[str, int]:
    """The risk level of every product on the shelf."""
    items = suite.call("GET", "/v1/products", params={"limit": 200}, expect=200).json()["items"]
    return {item["key"]: int((item["risk_level"] or "R1")[1:]) for item in items}


def pids_of(suite: RunningSuite, name: str) -> list[int]:
    run = suite.run_file()
    if name != DATABASE:
        return [run["processes"][name]["pid"]]
    first = psutil.Process(run["postgres"]["pid"])
    return [first.pid, *(child.pid for child in first.children(recursive=True))]


@contextmanager
def stopped(suite: RunningSuite, *names: str) -> Generator[None]:
    """Let processes stand still for a while."""
    pids = [pid for name in names for pid in pids_of(suite, name)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def timed(answer: httpx.Response) -> float:
    return answer.elapsed.total_seconds()


def page(suite: RunningSuite, customer: str) -> httpx.Response:
    path = f"/v1/customers/{customer}/recommendations"
    answer = suite.call("GET", path, params={"channel": "app", "limit": 20})
    assert answer.status_code == 200, answer.text
    return answer


def is_well(suite: RunningSuite) -> bool:
    answer = page(suite, CAREFUL).json()
    return not answer["degraded"] and bool(answer["propositions"])


def gates_must_hold(suite: RunningSuite, ratings: dict[str, int]) -> tuple[set[str], list[float]]:
    """Ask for everybody's page; what degraded them, and how long each took."""
    answers = {customer: page(suite, customer) for customer in (CAREFUL, WITHDRAWN, FROZEN)}
    pages: dict[str, Any] = {customer: answer.json() for customer, answer in answers.items()}
    products = [offer["product"] for offer in pages[CAREFUL]["propositions"] if offer["product"]]
    assert max((ratings[key] for key in products), default=1) <= CAREFUL_CLASS
    assert not any(offer["product"] for offer in pages[WITHDRAWN]["propositions"])
    assert pages[FROZEN]["propositions"] == []
    named = [set(each["degraded_by"]) for each in pages.values()]
    assert all(each["degraded"] is bool(each["degraded_by"]) for each in pages.values())
    return set.union(*named), [timed(answer) for answer in answers.values()]


@pytest.mark.parametrize("names", SERVICES_DOWN, ids="+".join)
def test_l12_with_a_service_down_pages_answer_in_time_and_no_gate_opens(
    suite: RunningSuite, ratings: dict[str, int], names: tuple[str, ...]
) -> None:
    suite.eventually(lambda: is_well(suite), seconds=60)
    usual = median(timed(page(suite, CAREFUL)) for _ in range(9))
    seconds: list[float] = []
    reasons: set[str] = set()

    with stopped(suite, *names):
        until = time.monotonic() + 3 * LIMIT_SECONDS
        while SERVICES_DOWN[names] not in reasons and time.monotonic() < until:
            reasons, took = gates_must_hold(suite, ratings)
            seconds += took
            time.sleep(0.2)
        for _ in range(5):
            reasons, took = gates_must_hold(suite, ratings)
            assert SERVICES_DOWN[names] in reasons
            seconds += took

    # what the way to the gateway and back costs on this machine now is not the service's
    assert median(seconds) <= HARD_SECONDS + usual
    assert max(seconds) <= HARD_SECONDS + max(1.0, 10 * usual)
    suite.eventually(lambda: is_well(suite), seconds=60, what="it did not recover")


def test_l12_while_strategy_starts_again_pages_are_empty_and_not_missing(
    suite: RunningSuite, ratings: dict[str, int]
) -> None:
    suite.eventually(lambda: is_well(suite), seconds=60)
    os.kill(pids_of(suite, "strategy")[0], signal.SIGKILL)
    reasons: set[str] = set()
    until = time.monotonic() + 10
    while "unavailable" not in reasons and time.monotonic() < until:
        reasons, _ = gates_must_hold(suite, ratings)

    assert "unavailable" in reasons
    suite.eventually(lambda: is_well(suite), seconds=60)


def pending_withdrawal(suite: RunningSuite, customer: str) -> None:
    """Withdraw, while nobody gives the event its place in the feed."""
    assert consent(suite, customer, "withdrawn").status_code == 200


def must_be_refused_at_once(suite: RunningSuite, customer: str, usual: float) -> None:
    for attempt in range(3):
        answer = contact(suite, customer, f"{customer}-{attempt}")
        assert (answer.status_code, answer.json()["code"]) == (403, "consent_unknown")
        assert timed(answer) <= CONSENT_SECONDS + max(0.5, 5 * usual)


def must_lose_marketing_with_the_lease(
    suite: RunningSuite, customer: str, stopped_at: float
) -> None:
    patience = LIMIT_SECONDS + 5  # what is left of the lease, and a busy machine
    suite.eventually(lambda: not offers(suite, customer), seconds=patience)
    took = time.monotonic() - stopped_at
    assert took <= patience
    answer = page(suite, customer).json()
    assert answer["cause"] == "consent_unknown"
    assert "consent_lease_ended" in answer["degraded_by"]
    assert offers(suite, CAREFUL) == []


def service_notice(suite: RunningSuite, customer: str, key: str) -> httpx.Response:
    wanted = {"customer_id": customer, "channel": "sms", "purpose": "service"}
    headers = {"Idempotency-Key": key}
    return suite.call("POST", "/v1/contacts", json=wanted, headers=headers, expect=201)


@pytest.mark.parametrize("still", ["profile", "profile-worker"])
def test_p3_with_profile_stopped_and_a_withdrawal_pending_nothing_is_sent_or_shown(
    suite: RunningSuite, still: str
) -> None:
    suite.eventually(lambda: is_well(suite), seconds=60)
    customer = ready_customer(suite, f"still-{still}", 5)
    usual = timed(service_notice(suite, customer, f"{still}-before"))

    with stopped(suite, "profile-worker"):
        stopped_at = time.monotonic()
        pending_withdrawal(suite, customer)
        if still == "profile":
            with stopped(suite, "profile"):
                os.kill(pids_of(suite, "profile-worker")[0], signal.SIGCONT)
                must_be_refused_at_once(suite, customer, usual)
                must_lose_marketing_with_the_lease(suite, customer, stopped_at)
                service_notice(suite, customer, f"{still}-meanwhile")  # P4
        else:
            must_be_refused_at_once(suite, customer, usual)
            must_lose_marketing_with_the_lease(suite, customer, stopped_at)
            service_notice(suite, customer, f"{still}-meanwhile")  # P4

    suite.eventually(lambda: is_well(suite), seconds=60)
    assert offers(suite, customer) == []
    suite.eventually(
        lambda: (
            contact(suite, customer, f"after-{time.monotonic_ns()}").json()["code"]
            == "consent_missing"
        )
    )


def test_p3_with_strategys_worker_stopped_nothing_is_sent_once_the_lease_has_ended(
    suite: RunningSuite,
) -> None:
    suite.eventually(lambda: is_well(suite), seconds=60)
    customer = new_customer(suite, "still-complains")
    assess(suite, customer, 3)
    consent(suite, customer, "granted")
    suite.eventually(lambda: offers(suite, customer))

    with stopped(suite, "strategy-worker"):
        flags = f"/v1/customers/{customer}/flags"
        suite.call("PUT", flags, json={"is_frozen": True}, expect=200)
        suite.eventually(lambda: not offers(suite, customer), seconds=LIMIT_SECONDS + 5)
        answer = contact(suite, customer, "frozen-unheard")

    assert (answer.status_code, answer.json()["code"]) == (403, "consent_unknown")
    suite.eventually(
        lambda: contact(suite, customer, f"f-{time.monotonic_ns()}").json()["code"] == "frozen"
    )
