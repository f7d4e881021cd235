"""A customer at one glance."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from gateway.customers import service
from gateway.customers.schemas import CustomerView
from shared.app import AppSettings
from shared.auth import requires
from shared.problems import problem_responses
from shared.trace import traceparent

router = APIRouter(
    prefix="/v1/customers", tags=["customers"], dependencies=[requires("customers:read")]
)


@router.get("/{customer_id}/view", response_model=CustomerView, responses=problem_responses(404))
async def get_view(
    customer_id: Annotated[str, Path(description="The customer")],
    request: Request,
    settings: AppSettings,
) -> dict[str, Any]:
    """Show the customer from all sides (360°), each part as the caller may see it."""
    headers = {"authorization": request.headers["authorization"], "traceparent": traceparent()}
    return await service.view(
        request.app.state.upstream.fetch,
        customer_id,
        headers,
        deadline_seconds=settings.view_seconds,
    )
