"""No quota is oversold, and no unit is lost: what was not confirmed comes back."""

from collections import Counter
from decimal import Decimal

from tests.e2e.running import RunningSuite
from tests.faults.bank import COUNTED
from tests.faults.ledger import Fate, Ledger, Sale, Wish

LEFT = 3


def audit_sales(ledger: Ledger) -> list[str]:
    """Compare keys with reservations, and what was sold with what there was."""
    keys = Counter(each for sale in ledger.sales for each in sale.reservation_ids)
    doubled = [s for s in ledger.sales if len(s.reservation_ids) > 1]
    return [
        *ledger.overdrafts,
        *(f"{sale.key} got reservations {sale.reservation_ids}" for sale in doubled),
        *(f"reservation {each} answers {n} keys" for each, n in keys.items() if n > 1),
        *(
            f"{sold(ledger, product)} of {quota} {product} are sold"
            for product, quota in ledger.quotas.items()
            if sold(ledger, product) > quota
        ),
    ]


def sold(ledger: Ledger, product: str) -> Decimal:
    """Return the units of confirmed sales."""
    return sum((s.units for s in ledger.sales if s.product == product and _is_sold(s)), Decimal(0))


def audit_what_is_left(suite: RunningSuite, ledger: Ledger) -> list[str]:
    """Leave so many units beyond what was sold: exactly as many can be had, and not one more."""
    wrong: list[str] = []
    for product in ledger.quotas:
        unit = Decimal(1) if product in COUNTED else Decimal(100)
        _set_quota(suite, product, sold(ledger, product) + LEFT * unit)
        had = 0
        while had <= LEFT and _can_have(suite, product, unit, f"left-{product}-{had}"):
            had += 1
        if had != LEFT:
            wrong.append(f"{LEFT} times {unit} {product} should be left, {had} could be had")
    return wrong


def _is_sold(sale: Sale) -> bool:
    return sale.wish is Wish.CONFIRM and sale.settled is Fate.ACKNOWLEDGED


def _set_quota(suite: RunningSuite, product: str, total: Decimal) -> None:
    path = f"/v1/products/{product}"
    answer = suite.call("GET", path, expect=200)
    known = {"key", "version", "catalogue_version", "author", "approver", "updated_at"}
    body = {name: value for name, value in answer.json().items() if name not in known}
    body["quota"]["total"] = str(total)
    headers = {"If-Match": answer.headers["ETag"]}
    suite.call("PUT", path, json=body, headers=headers, expect=200)


def _can_have(suite: RunningSuite, product: str, unit: Decimal, key: str) -> bool:
    wanted = {"customer_id": "fault-000", "product": product}
    amount = {} if product in COUNTED else {"amount": {"amount": str(unit), "currency": "CNY"}}
    answer = suite.call(
        "POST", "/v1/reservations", json=wanted | amount, headers={"Idempotency-Key": key}
    )
    if answer.status_code != 201:
        assert answer.json()["code"] == "quota_exhausted", answer.text
    return answer.status_code == 201
