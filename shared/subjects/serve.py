"""The route by which a service shows all that it holds on one subject (P11)."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import asyncpg
import orjson
from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from shared.app import AppDatabase
from shared.auth import CurrentToken, requires
from shared.errors import NotFound
from shared.problems import problem_responses
from shared.subjects.holder import Holder, Row
from shared.tokens import Token

Note = Callable[[Request, asyncpg.Connection, str, Token], Awaitable[None]]
"""Leaves a record of who read what is personal."""


class NothingHeld(NotFound):
    code = "nothing_held"
    title = "The service holds nothing under this id"


class StoreRead(BaseModel):
    """What one store holds on a subject, and on which ground."""

    store: str = Field(description="Name of the table")
    zh: str
    en: str
    ground: str = Field(description="One of `retention_ground` in `/v1/codes`")
    purposes: list[str] = Field(description="Of `retention_purpose` in `/v1/codes`")
    source: str = Field(description="One of `retention_source` in `/v1/codes`")
    kept_days: int | None = Field(description="null: as long as the customer is one")
    rows: list[dict[str, object]]


class Holding(BaseModel):
    """All that a service holds on a subject."""

    service: str
    customer_id: str
    stores: list[StoreRead]


def subject_router(
    service: str, holder: Callable[[Request], Holder], note: Note | None = None
) -> APIRouter:
    """Return the route by which a service shows what it holds on one subject.

    Args:
        service: its name, a part of the path.
        holder: its stores.
        note: leaves a record of the reading, in the transaction that reads.
    """
    router = APIRouter(prefix=f"/v1/rights/{service}", tags=["rights"])

    @router.get(
        "/customers/{customer_id}",
        dependencies=[requires("rights:read")],
        response_model=Holding,
        responses=problem_responses(403, 404),
    )
    async def read_holding(
        customer_id: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")],
        request: Request,
        database: AppDatabase,
        token: CurrentToken,
    ) -> Response:
        """Return every row held under an id, store by store, readable, with ground and purpose."""
        token.must_see_the_bank()
        async with database.transaction(isolation="repeatable_read") as connection:
            stores = await _held(connection, holder(request), customer_id)
            if not any(each["rows"] for each in stores):
                raise NothingHeld(f"{service} holds nothing of {customer_id}")
            if note is not None:
                await note(request, connection, customer_id, token)
        body = {"service": service, "customer_id": customer_id, "stores": stores}
        return Response(orjson.dumps(body), media_type="application/json")

    return router


async def _held(connection: asyncpg.Connection, holder: Holder, subject: str) -> list[Row]:
    stores: list[Row] = []
    for store in holder.stores:
        rule = holder.rules[store.name]
        stores.append(
            {
                "store": store.name,
                "zh": rule.zh,
                "en": rule.en,
                "ground": rule.ground,
                "purposes": rule.purposes,
                "source": rule.source,
                "kept_days": rule.kept_days,
                "rows": await holder.rows(connection, store, subject),
            }
        )
    return stores
