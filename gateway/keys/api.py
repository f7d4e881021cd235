"""Signing keys: looking at the ring, and rotating it."""

from fastapi import APIRouter
from starlette.responses import JSONResponse

from gateway.directory import Changing, CurrentDirectory
from gateway.keys import service
from gateway.keys.schemas import KeyRingRead
from shared.app import AppSettings
from shared.auth import requires
from shared.clock import real_now
from shared.problems import problem_responses

router = APIRouter(tags=["keys"])


@router.get(
    "/.well-known/jwks.json",
    summary="Public signing keys",
    response_class=JSONResponse,
    include_in_schema=False,
)
async def get_jwks(directory: CurrentDirectory) -> JSONResponse:
    """Answer the keys that sign access tokens, the next one included (RFC 7517)."""
    return JSONResponse(directory.jwks_document, headers={"Cache-Control": "max-age=5"})


@router.get("/v1/keys", dependencies=[requires("clients:admin")], response_model=KeyRingRead)
async def list_keys(directory: CurrentDirectory) -> dict[str, object]:
    """List the signing keys with their states."""
    return {"items": directory.known.keys}


@router.post(
    "/v1/keys:rotate",
    dependencies=[requires("clients:admin")],
    response_model=KeyRingRead,
    responses=problem_responses(409),
)
async def rotate_keys(session: Changing, settings: AppSettings) -> dict[str, object]:
    """Let the next key sign and announce another; tokens already issued stay valid."""
    return {"items": await service.rotate(session, settings, now=real_now())}
