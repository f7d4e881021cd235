"""The copy of all that is held on a person; each part as its service shows it."""

from typing import Any

from pydantic import BaseModel, Field


class Bundle(BaseModel):
    """All that the suite holds on a customer, in a form that a program reads."""

    request: dict[str, Any] = Field(
        description="As `GET /v1/rights-requests/{request_id}`: why this copy was made"
    )
    records: list[str] = Field(description="All ids under which the bank knows the customer")
    services: dict[str, list[dict[str, Any]]] = Field(
        description="By service, for each record: as `GET /v1/rights/{service}/customers/{id}`"
    )
