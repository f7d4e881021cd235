"""The small bank the faults fall upon: customers who may be spoken to, products that run out."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tests.faults.crm import Answer, Crm

CUSTOMERS = 100
AT_ONCE = 8
TRIES = 300
SCARCE, PURSE, PLENTY = "scarce_deposit", "purse_deposit", "plenty_deposit"
QUOTAS = {SCARCE: Decimal(25), PURSE: Decimal(20_000), PLENTY: Decimal(1_000_000)}
COUNTED = {SCARCE, PLENTY}
OPENED = "2025-12-20"


async def found(crm: Crm) -> list[str]:
    """Bring customers and products in; return the customers' ids."""
    customers = [f"fault-{number:03}" for number in range(CUSTOMERS)]
    for product in QUOTAS:
        await _put_product(crm, product)
    await _all_at_once(customers, lambda customer: _open(crm, customer))
    await _all_at_once(customers, lambda customer: _until_offered_something(crm, customer))
    return customers


async def _all_at_once(customers: Sequence[str], act: Any) -> None:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(customer: str) -> None:
        async with turn:
            await act(customer)

    await asyncio.gather(*(one(customer) for customer in customers))


async def _put_product(crm: Crm, key: str) -> None:
    kind = "count" if key in COUNTED else "amount"
    product = {
        "zh": "配额存款",
        "en": "Deposit with a quota",
        "category": "term_deposit",
        "margin": {"amount": "10"},
        "quota": {"kind": kind, "total": str(QUOTAS[key])},
    }
    _must(await crm.call("PUT", f"/v1/products/{key}", product, If_None_Match="*"))


async def _open(crm: Crm, customer: str) -> None:
    """Let a customer open an account, be assessed, and allow marketing."""
    path, account = f"/v1/customers/{customer}", f"{customer}-a"
    person = {"party_type": "person", "birth_date": "1988-05-01", "occupation": "employee"}
    holding = {
        "category": "demand_deposit",
        "account_id": account,
        "opened_at": OPENED,
        "balance": {"amount": "80000.00", "currency": "CNY"},
    }
    consent = {"state": "granted", "text_version": "2026-01", "evidence": "app-screen-17"}
    _must(await crm.call("PUT", path, person))
    _must(
        await crm.call(
            "PUT", f"{path}/accounts/{account}", {"currency": "CNY", "opened_at": OPENED}
        )
    )
    _must(await crm.call("PUT", f"{path}/holdings/{customer}-d", holding))
    _must(await crm.call("PUT", f"{path}/consents/marketing", consent))
    assessment = {"risk_class": 3, "questionnaire_version": "2026-01"}
    _must(await crm.call("POST", f"{path}/assessments", assessment, tries=2))  # two a day at most


async def _until_offered_something(crm: Crm, customer: str) -> None:
    wanted = {"customer_id": customer, "channel": "app", "dry_run": True}
    for _ in range(TRIES):
        if _must(await crm.call("POST", "/v1/decisions", wanted)).body["propositions"]:
            return
        await asyncio.sleep(0.2)
    raise TimeoutError(f"nothing is offered to {customer}")


def _must(answer: Answer) -> Answer:
    assert answer.is_acknowledged, answer
    return answer
