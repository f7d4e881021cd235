"""Customers of the benchmark's own, whose every change it knows."""

from datetime import datetime, timedelta
from typing import Any

from bench.product import Product

WRITER = "crm"


def open_customers(product: Product, prefix: str, count: int) -> list[str]:
    """Bring in persons with an account and consent, and return their ids."""
    ids = [f"bench-{prefix}-{number}" for number in range(count)]
    with product.client(WRITER) as crm:
        for customer in ids:
            path = f"/v1/customers/{customer}"
            crm.put(path, {"party_type": "person", "birth_date": "1988-05-01"})
            account = {"currency": "CNY", "opened_at": "2025-12-20"}
            crm.put(f"{path}/accounts/{customer}-a", account)
            holding = {
                "category": "demand_deposit",
                "account_id": f"{customer}-a",
                "opened_at": "2025-12-20",
                "balance": {"amount": "80000.00", "currency": "CNY"},
            }
            crm.put(f"{path}/holdings/{customer}-d", holding)
            crm.put(f"{path}/consents/marketing", consent("granted"))
    return ids


def consent(state: str) -> dict[str, str]:
    """Return the body of a consent to marketing on every channel."""
    return {"channel": "all", "state": state, "text_version": "bench-1", "evidence": "bench"}


def business_now(product: Product) -> datetime:
    with product.client(WRITER) as crm:
        return datetime.fromisoformat(crm.get("/v1/clock")["now"])


def login(event_id: str, customer: str, at: datetime, *, minutes_ago: float) -> dict[str, Any]:
    """Return one login event."""
    occurred_at = (at - timedelta(minutes=minutes_ago)).isoformat()
    return {
        "event_id": event_id,
        "customer_id": customer,
        "type": "login",
        "occurred_at": occurred_at,
        "channel": "app",
    }
