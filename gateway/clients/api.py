"""Clients: list, register, rotate a secret, disable and enable."""

from typing import Annotated

from fastapi import APIRouter, Path

from gateway.clients import service
from gateway.clients.schemas import (
    ClientCreate,
    ClientCreated,
    ClientRead,
    ClientSecretRead,
    to_read,
)
from gateway.directory import Changing, CurrentDirectory
from shared.app import AppSettings
from shared.auth import requires
from shared.clock import real_now
from shared.paging import Page, decode_cursor, page_of, text
from shared.parameters import After, Limit
from shared.problems import problem_responses

router = APIRouter(prefix="/v1/clients", tags=["clients"], dependencies=[requires("clients:admin")])

ClientIdPath = Annotated[str, Path(description="The client")]


@router.get("")
async def list_clients(
    directory: CurrentDirectory, after: After = None, limit: Limit = 50
) -> Page[ClientRead]:
    """List the clients by their ids."""
    (start,) = decode_cursor(after, text) or ("",)
    found = [to_read(each) for key, each in directory.known.clients.items() if key > start]
    return page_of(found[: limit + 1], limit, lambda each: (each.client_id,))


@router.post("", status_code=201, responses=problem_responses(409))
async def register_client(
    wanted: ClientCreate, session: Changing, settings: AppSettings
) -> ClientCreated:
    """Register a client; the answer shows its secret, once."""
    client, secret = await service.register(session, wanted.to_domain(), settings, now=real_now())
    return ClientCreated(**to_read(client).model_dump(), client_secret=secret)


@router.get("/{client_id}", responses=problem_responses(404))
async def get_client(client_id: ClientIdPath, directory: CurrentDirectory) -> ClientRead:
    """Read one client."""
    return to_read(directory.client(client_id))


@router.post("/{client_id}/rotate-secret", responses=problem_responses(404))
async def rotate_secret(
    client_id: ClientIdPath, session: Changing, settings: AppSettings
) -> ClientSecretRead:
    """Give a client a new secret; the present one stays valid for a day."""
    client, secret = await service.rotate_secret(session, client_id, settings, now=real_now())
    return ClientSecretRead(client_id=client.client_id, client_secret=secret)


@router.post("/{client_id}/disable", responses=problem_responses(404))
async def disable_client(client_id: ClientIdPath, session: Changing) -> ClientRead:
    """Refuse a client's secrets and tokens from now on."""
    return to_read(await service.set_disabled(session, client_id, real_now()))


@router.post("/{client_id}/enable", responses=problem_responses(404))
async def enable_client(client_id: ClientIdPath, session: Changing) -> ClientRead:
    """Accept a disabled client again."""
    return to_read(await service.set_disabled(session, client_id, None))
