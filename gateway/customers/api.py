"""A customer at one glance."""

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from gateway.customers import service
from gateway.customers.domain import reader_for
from gateway.customers.schemas import CustomerView
from shared.app import AppSettings, Clock
from shared.auth import CurrentToken, requires
from shared.problems import problem_responses
from shared.trace import traceparent

router = APIRouter(
    prefix="/v1/customers", tags=["customers"], dependencies=[requires("customers:read")]
)


@router.get("/{customer_id}/view", response_model=CustomerView, responses=problem_responses(404))
async def get_view(
    *,
    customer_id: Annotated[str, Path(description="The customer")],
    wanted: Annotated[
        str | None,
        Query(
            alias="for",
            description="Who will read it: `rm`, `app` (the customer) or `service` (agent, lobby); "
            "default: `rm`, or `app` with a token that is bound to a customer",
        ),
    ] = None,
    request: Request,
    token: CurrentToken,
    settings: AppSettings,
    clock: Clock,
) -> Response:
    """Show the customer from all sides (360°), each part as the caller may see it."""
    reader = reader_for(wanted, token, request.app.state.readers)
    found = await service.view(
        request.app.state.upstream.fetch,
        reader,
        customer_id,
        callers_headers(request),
        deadline_seconds=settings.view_seconds,
        now=clock.now(),
    )
    return answer(found)


def callers_headers(request: Request) -> dict[str, str]:
    """Return what a service is asked with: the caller's own token."""
    return {"authorization": request.headers["authorization"], "traceparent": traceparent()}


def answer(found: object) -> Response:
    """Answer with what nobody may keep: it is one person's."""
    body = orjson.dumps(found, option=orjson.OPT_UTC_Z)
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
