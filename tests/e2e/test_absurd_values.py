"""Absurd dates, amounts and facts are refused, and nothing of them is half-written."""

import json
import time
from typing import Any

import pytest

from tests.e2e.operations import UNKNOWN, fault, new_customer, pointers
from tests.e2e.running import RunningSuite

CONSENT = {"channel": "all", "state": "granted", "text_version": "1", "evidence": "e"}
FUND = {"category": "fund", "opened_at": "2025-12-20"}


def yuan(amount: str, currency: str = "CNY") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


ABSURD_CUSTOMERS: dict[str, Any] = {
    "party_type": "alien",
    "birth_date": "3000-01-01",
    "minor_children": -1,
    "income_year": yuan("1e400"),
    "acquisition_cost": yuan("-5.00"),
    "declared_turnover": yuan("12", "yuan"),
    "time_zone": "Mars/Base",
    "occupation": "wizard",
    "has_car": "perhaps",
    "phone": "1" * 1_000,
    "org_path": "bank/<script>",
    "local_hukou_years": 10**30,
}


@pytest.mark.parametrize("field", ABSURD_CUSTOMERS)
def test_an_absurd_customer_is_422_and_not_there(suite: RunningSuite, field: str) -> None:
    path = f"/v1/customers/bad-{field}"
    body = {"party_type": "person", field: ABSURD_CUSTOMERS[field]}

    answer = suite.call("PUT", path, json=body)

    assert fault(answer, 422) is None, answer.text
    assert any(pointer.startswith(f"/{field}") for pointer in pointers(answer))
    assert suite.call("GET", path).status_code == 404


@pytest.mark.parametrize(
    "birth_date", ["0000-00-00", "1988-02-30", "01.05.1988", "1988-05-01T25:00:00Z", "", 5]
)
def test_a_date_that_is_none_is_422(suite: RunningSuite, birth_date: Any) -> None:
    body = {"party_type": "person", "birth_date": birth_date}

    answer = suite.call("PUT", "/v1/customers/bad-date", json=body)

    assert fault(answer, 422) is None, answer.text
    assert suite.call("GET", "/v1/customers/bad-date").status_code == 404


ABSURD_EVENTS: dict[str, dict[str, Any]] = {
    "no zone": {"occurred_at": "2026-03-01T10:00:00"},
    "no time": {"occurred_at": "yesterday"},
    "not a number": {"amount": yuan("NaN")},
    "endless": {"amount": yuan("Infinity")},
    "a third of a fen": {"amount": yuan("1.333")},
    "more than all money": {"amount": yuan("9" * 30)},
    "a number": {"amount": 5},
    "no currency": {"amount": {"amount": "5.00"}},
    "no id": {"event_id": ""},
    "id of a story": {"event_id": "x" * 200},
    "unknown kind": {"counterparty_kind": "friend"},
}


@pytest.mark.parametrize("name", ABSURD_EVENTS)
def test_one_absurd_event_and_the_batch_leaves_no_trace(suite: RunningSuite, name: str) -> None:
    customer = new_customer(suite, f"bad-event-{list(ABSURD_EVENTS).index(name)}")
    good = {
        "event_id": f"{customer}-1",
        "customer_id": customer,
        "type": "login",
        "occurred_at": "2026-03-01T10:00:00+08:00",
    }

    answer = suite.call(
        "POST",
        "/v1/events",
        json={"events": [good, good | {"type": "payment"} | ABSURD_EVENTS[name]]},
    )

    assert fault(answer, 422) is None, answer.text
    assert any(pointer.startswith("/events/1") for pointer in pointers(answer)), pointers(answer)
    assert timeline(suite, customer) == []


def timeline(suite: RunningSuite, customer: str) -> list[Any]:
    answer = suite.call("GET", f"/v1/customers/{customer}/timeline", expect=200)
    return [item for item in answer.json()["items"] if "login" in json.dumps(item)]


def test_an_event_nobody_believes_is_set_aside_and_the_others_count(suite: RunningSuite) -> None:
    customer = new_customer(suite, "bad-doubted")
    good = {"customer_id": customer, "type": "login", "occurred_at": "2026-03-01T10:00:00+08:00"}
    doubted: dict[str, dict[str, Any]] = {
        "ahead_of_time": {"occurred_at": "9999-12-31T23:59:59Z"},
        "too_old": {"occurred_at": "0001-01-01T00:00:00Z"},
        "unknown_type": {"type": "moon_landing"},
        "unknown_customer": {"customer_id": UNKNOWN},
        "absurd_amount": {"type": "payment", "amount": yuan("-1.00")},
        "foreign_currency": {"type": "payment", "amount": yuan("1.00", "USD")},
    }
    wrong = [good | fields | {"event_id": f"doubted-{r}"} for r, fields in doubted.items()]

    answer = suite.call(
        "POST", "/v1/events", json={"events": [good | {"event_id": "believed"}, *wrong]}
    )

    assert answer.is_success, answer.text
    assert answer.json()["accepted"] == 1
    assert [each["reason"] for each in answer.json()["quarantined"]] == list(doubted)
    assert len(timeline(suite, customer)) == 1


ABSURD_WRITES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "class six": ("POST", "assessments", {"risk_class": 6, "questionnaire_version": "1"}),
    "class as text": ("POST", "assessments", {"risk_class": "C3", "questionnaire_version": "1"}),
    "purpose": ("PUT", "consents/world_domination", CONSENT),
    "state": ("PUT", "consents/marketing", CONSENT | {"state": "maybe"}),
    "evidence": ("PUT", "consents/marketing", CONSENT | {"evidence": None}),
    "consent tomorrow": ("PUT", "consents/marketing", CONSENT | {"at": "9999-01-01T00:00:00Z"}),
    "account": ("PUT", "accounts/bad-a", {"currency": "yuan", "opened_at": "2025-12-20"}),
    "account date": ("PUT", "accounts/bad-a", {"currency": "CNY", "opened_at": "2025-13-20"}),
    "holding": ("PUT", "holdings/bad-h", FUND | {"category": "moon_bond"}),
    "holding amount": ("PUT", "holdings/bad-h", FUND | {"balance": yuan("1e99")}),
    "flags": ("PUT", "flags", {"is_frozen": "sometimes"}),
}  # fmt: skip


@pytest.mark.parametrize("name", ABSURD_WRITES)
def test_an_absurd_fact_is_refused_and_not_there(suite: RunningSuite, name: str) -> None:
    customer = new_customer(suite, "bad-facts")
    method, place, body = ABSURD_WRITES[name]

    answer = suite.call(method, f"/v1/customers/{customer}/{place}", json=body)

    assert fault(answer, 404, 422) is None, answer.text
    for part in ("accounts", "holdings", "assessments", "consents"):
        held = suite.call("GET", f"/v1/customers/{customer}/{part}", expect=200).json()
        assert held.get("items", held.get("consents")) == [], part


@pytest.mark.parametrize(
    "part", ["accounts/bad-a", "holdings/bad-h", "flags", "consents/marketing"]
)
def test_facts_of_nobody_are_refused_and_bring_nobody_in(suite: RunningSuite, part: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "accounts/bad-a": {"currency": "CNY", "opened_at": "2025-12-20"},
        "holdings/bad-h": FUND,
        "flags": {"is_frozen": True},
        "consents/marketing": CONSENT,
    }

    answer = suite.call("PUT", f"/v1/customers/{UNKNOWN}/{part}", json=bodies[part])

    assert fault(answer, 404) is None, answer.text
    assert suite.call("GET", f"/v1/customers/{UNKNOWN}").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [{"channel": "pigeon"}, {"limit": 0}, {"limit": 10_000}, {"context": "rain"}, {"dry_run": 7}],
    ids=str,
)
def test_an_absurd_decision_is_a_problem(suite: RunningSuite, wrong: dict[str, Any]) -> None:
    customer = new_customer(suite, "bad-decision")
    body = {"customer_id": customer, "channel": "app", "limit": 3}

    answer = suite.call("POST", "/v1/decisions", json=body | wrong)

    assert fault(answer, 404, 422) is None, answer.text


@pytest.mark.parametrize(
    "wrong", [{"purpose": "fun"}, {"channel": "pigeon"}, {"customer_id": UNKNOWN}], ids=str
)
def test_an_absurd_contact_is_a_problem(suite: RunningSuite, wrong: dict[str, Any]) -> None:
    customer = new_customer(suite, "bad-contact")
    body = {"customer_id": customer, "channel": "sms", "purpose": "marketing"}
    headers = {"Idempotency-Key": f"bad-{time.time_ns()}"}

    answer = suite.call("POST", "/v1/contacts", json=body | wrong, headers=headers)

    assert fault(answer, 403, 404, 422) is None, answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "exploded"},
        {"outcome": "converted", "amount": yuan("-1")},
        {"occurred_at": "9999-12-31T00:00:00Z"},
        {"reason": "because"},
    ],
    ids=str,
)
def test_an_absurd_outcome_is_a_problem(suite: RunningSuite, wrong: dict[str, Any]) -> None:
    body = {"proposition_id": UNKNOWN, "outcome": "clicked"}

    answer = suite.call("POST", "/v1/outcomes", json=body | wrong)

    assert fault(answer, 404, 409, 422) is None, answer.text


def test_a_rule_that_is_none_is_refused_and_names_the_place(suite: RunningSuite) -> None:
    for rule in (
        "aum >=",
        "no_such_attribute = 1",
        "aum = 'a text'",
        "1; DROP TABLE customer",
        "(",
    ):
        answer = suite.call("POST", "/v1/segments:preview", client="operator", json={"rule": rule})
        assert fault(answer, 422) is None, f"{rule}: {answer.text}"
        assert any("rule" in pointer for pointer in pointers(answer)), answer.text


def test_an_import_of_rubbish_brings_nobody_in(suite: RunningSuite) -> None:
    headers = {
        "Content-Type": "application/vnd.apache.arrow.stream",
        "Idempotency-Key": f"rubbish-{time.time_ns()}",
    }

    answer = suite.call(
        "POST", "/v1/customers:import", client="importer", content=b"rubbish", headers=headers
    )

    if answer.status_code == 202:
        job = f"/v1/jobs/{answer.json()['job_id']}"
        ended = {"completed", "failed"}
        suite.eventually(lambda: suite.call("GET", job, client="importer").json()["state"] in ended)
        assert suite.call("GET", job, client="importer").json()["state"] == "failed"
    else:
        assert fault(answer, 400, 415, 422) is None, answer.text


def test_the_clock_does_not_run_backwards(suite: RunningSuite) -> None:
    before = suite.call("GET", "/v1/clock", client="operator").json()["now"]

    back = suite.call("PUT", "/v1/clock", client="operator", json={"now": "1999-01-01T00:00:00Z"})
    zoneless = suite.call("PUT", "/v1/clock", client="operator", json={"now": "2030-01-01T00:00"})

    assert fault(back, 409, code="clock_goes_forward") is None, back.text
    assert fault(zoneless, 422) is None, zoneless.text
    assert suite.call("GET", "/v1/clock", client="operator").json()["now"] >= before
