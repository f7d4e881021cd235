"""A bank that declares features: calls of the real application, with segment answered for."""

from typing import Any

import httpx

from shared.client import ServiceClient
from tests.kit import bearer
from tests.profile.conftest import Profile, ago, cny

ANALYST = bearer("attributes:write", "attributes:read", "features:read", actor="chen")
ATTRIBUTES = {"tier": ("segment", "enum"), "city_walks": ("profile", "decimal")}
SPEND = {
    "zh": "近30天大额刷卡次数",
    "en": "Large card spends in 30 days",
    "definition": "Card spends of 100 yuan and more",
    "source": "card_spend",
    "filter": [{"field": "amount", "operator": ">=", "value": 100}],
    "aggregate": "count",
    "window_days": 30,
    "ground": "flows",
}


def segment(request: httpx.Request) -> httpx.Response:
    """Answer for segment: these attributes there are."""
    if request.url.path == "/oauth/token":
        return httpx.Response(200, json={"access_token": "t", "expires_in": 600})
    held = ATTRIBUTES.get(request.url.path.rpartition("/")[2])
    if held is None:
        return httpx.Response(404, json={"code": "not_found", "detail": "No attribute"})
    return httpx.Response(200, json={"owner": held[0], "type": held[1]})


def open_segment(profile: Profile, answer: Any = segment) -> None:
    """Let profile's calls to segment be answered."""
    transport = httpx.MockTransport(answer)
    profile.app.state.client = ServiceClient("http://gateway", "a", "b", transport=transport)


async def declare(
    profile: Profile, name: str, body: dict[str, Any], *, tag: str | None = None
) -> httpx.Response:
    """Declare a feature, or with the tag that was read its next version."""
    condition = {"If-Match": tag} if tag else {"If-None-Match": "*"}
    return await profile.call("PUT", f"/features/{name}", json=body, headers=ANALYST | condition)


async def declared(profile: Profile, name: str, **changes: Any) -> dict[str, Any]:
    """Declare a feature and fill it."""
    open_segment(profile)
    answer = await declare(profile, name, {**SPEND, **changes})
    assert answer.is_success, answer.text
    await profile.work()
    return answer.json()


def spend(event_id: str, *, days: float = 1, amount: float = 150, **facts: Any) -> dict[str, Any]:
    """A card spend of `c1`."""
    return {
        "event_id": event_id,
        "customer_id": "c1",
        "type": "card_spend",
        "occurred_at": ago(days),
        "amount": cny(amount),
        **facts,
    }


async def tell(profile: Profile, *events: dict[str, Any]) -> None:
    await profile.ok("POST", "/events", json={"events": list(events)})
