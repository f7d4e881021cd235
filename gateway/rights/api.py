"""A copy of all that is held on a person."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from gateway.rights import service
from gateway.rights.schemas import Bundle
from shared.auth import requires
from shared.problems import problem_responses
from shared.trace import traceparent

router = APIRouter(
    prefix="/v1/rights-requests", tags=["rights"], dependencies=[requires("rights:read")]
)


@router.get(
    "/{request_id}/bundle", response_model=Bundle, responses=problem_responses(403, 404, 409)
)
async def get_bundle(
    request_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")], request: Request
) -> dict[str, Any]:
    """Return all that every service holds on who asked for access: complete, or 503."""
    headers = {"authorization": request.headers["authorization"], "traceparent": traceparent()}
    return await service.bundle(request.app.state.upstream.fetch, request_id, headers)
