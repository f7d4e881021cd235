"""The 360° view: which parts it has, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson

PARTS: Mapping[str, str] = {
    "customer": "/v1/customers/{id}",
    "accounts": "/v1/customers/{id}/accounts",
    "holdings": "/v1/customers/{id}/holdings",
    "consents": "/v1/customers/{id}/consents",
    "flags": "/v1/customers/{id}/flags",
    "features": "/v1/customers/{id}/features",
    "timeline": "/v1/customers/{id}/timeline",
    "levels": "/v1/customers/{id}/levels",
    "segments": "/v1/customers/{id}/segments",
    "outcomes": "/v1/customers/{id}/outcomes",
}
ESSENTIAL = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part's answer: its body, or why it is missing."""

    name: str
    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    body: Any = None
    code: str | None = None
    detail: str = ""


def part_of(name: str, status: int, body: bytes) -> Part:
    """Read what a service answered for one part."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Part(
            name=name, status=status, code="unreadable", detail=f"The answer ({status}) is not JSON"
        )
    if status == HTTPStatus.OK:
        return Part(name=name, status=status, body=document)
    return Part(
        name=name,
        status=status,
        code=str(document.get("code", "failed")),
        detail=str(document.get("detail", f"The service answered {status}")),
    )


def assemble(customer_id: str, parts: list[Part]) -> dict[str, Any]:
    """Compose the view; a missing part is null and named in `missing`.

    It bears the id that the customer's own part bears: of a record that was merged, the survivor's.
    """
    own = next((part.body for part in parts if part.name == ESSENTIAL), None) or {}
    return {
        "customer_id": own.get("customer_id", customer_id),
        **{part.name: part.body for part in parts},
        "missing": [
            {"part": part.name, "code": part.code, "detail": part.detail}
            for part in parts
            if part.code is not None
        ],
    }
