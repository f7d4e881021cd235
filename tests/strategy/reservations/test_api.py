"""Quota through the real app: never oversold."""

import asyncio

import pytest

from services.strategy.reservations import repository
from tests.strategy.bank import ALL_SCOPES, NOW, arrive, keyed

pytestmark = pytest.mark.anyio
FUND = "index_plan"


async def set_quota(api, product, quota):
    path = f"/v1/products/{product}"
    known = await api.get(path, headers=ALL_SCOPES)
    provenance = {"key", "version", "catalogue_version", "author", "approver", "updated_at"}
    body = {k: v for k, v in known.json().items() if k not in provenance} | {"quota": quota}
    headers = {**ALL_SCOPES, "If-Match": known.headers["ETag"]}
    response = await api.put(path, json=body, headers=headers)
    assert response.status_code == 200, response.text


async def reserve(api, amount=None, product=FUND, currency="CNY"):
    body: dict[str, object] = {"product": product, "customer_id": "c1"}
    if amount is not None:
        body["amount"] = {"amount": amount, "currency": currency}
    return await api.post("/v1/reservations", json=body, headers=keyed())


async def test_l4_a_quota_is_never_oversold_under_concurrency(api, database) -> None:
    await arrive(database)
    await set_quota(api, FUND, {"kind": "count", "total": "7"})

    answers = await asyncio.gather(*(reserve(api) for _ in range(40)))

    statuses = [answer.status_code for answer in answers]
    assert statuses.count(201) == 7
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"quota_exhausted"}


async def test_released_and_expired_reservations_give_back_and_confirmed_ones_do_not(
    api, database
) -> None:
    await arrive(database)
    await set_quota(api, FUND, {"kind": "amount", "total": "1000.00"})
    first = (await reserve(api, "600.00")).json()
    assert (await reserve(api, "400.01")).status_code == 409
    path = f"/v1/reservations/{first['id']}"
    released = await api.post(f"{path}/release", headers=ALL_SCOPES)
    again = await api.post(f"{path}/release", headers=ALL_SCOPES)
    assert released.json()["state"] == again.json()["state"] == "released"
    assert (await api.post(f"{path}/confirm", headers=ALL_SCOPES)).status_code == 409

    sold = (await reserve(api, "700.00")).json()
    await api.post(f"/v1/reservations/{sold['id']}/confirm", headers=ALL_SCOPES)
    await reserve(api, "300.00")
    async with database.transaction() as connection:
        await repository.expire(connection, now=NOW.replace(year=2027))
    assert (await reserve(api, "300.00")).status_code == 201
    assert (await reserve(api, "0.01")).status_code == 409


@pytest.mark.parametrize(
    ("risk_class", "product", "expected"),
    [
        (None, "money_fund", "assessment_missing"),
        (None, "term_one_year", None),
        (1, "money_fund", None),
        (2, "index_plan", "risk_above_class"),
    ],
)
async def test_b5_no_order_before_the_assessment(
    api, database, risk_class, product, expected
) -> None:
    await arrive(database, risk_class=risk_class)

    response = await reserve(api, product=product)

    assert (None if response.status_code == 201 else response.json()["code"]) == expected
    assert (await reserve(api, product="nothing")).status_code == 404


async def test_a_quota_of_amounts_asks_for_the_amount(api, database) -> None:
    await arrive(database)
    await set_quota(api, FUND, {"kind": "amount", "total": "1000.00"})

    response = await reserve(api)

    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/amount"


async def test_a_decision_requires_quota_left(api, database) -> None:
    await arrive(database)
    for product in ("index_plan", "pension_saver"):
        await set_quota(api, product, {"kind": "count", "total": "0"})

    body = {"customer_id": "c1", "channel": "app"}
    decision = (await api.post("/v1/decisions", json=body, headers=ALL_SCOPES)).json()

    assert decision["cause"] == "nothing_eligible"
    path = f"/v1/decisions/{decision['decision_id']}/explain"
    candidates = (await api.get(path, headers=ALL_SCOPES)).json()["candidates"]
    codes = {c["action"]: c["code"] for c in candidates}
    assert codes["develop_value-index_plan"] == "quota_exhausted"


async def test_an_amount_in_another_currency_takes_nothing_of_a_quota(api, database) -> None:
    await arrive(database)
    await set_quota(api, FUND, {"kind": "amount", "total": "1000.00"})

    refused = await reserve(api, "1000.00", currency="USD")

    assert (refused.status_code, refused.json()["code"]) == (422, "foreign_currency")
    assert refused.json()["errors"][0]["pointer"] == "/amount/currency"
    assert (await reserve(api, "1000.00")).status_code == 201
