"""Gathering what a reader is shown of a customer, with the caller's own token."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Protocol

from gateway.customers import domain
from gateway.customers.domain import Reader, Share
from shared.errors import DomainError, Forbidden, NotFound


class Fetch(Protocol):
    """Asks an operation of a service: (status, body)."""

    async def __call__(
        self,
        path: str,
        headers: Mapping[str, str],
        *,
        query: str = "",
        body: bytes | None = None,
    ) -> tuple[int, bytes]: ...


async def view(
    fetch: Fetch,
    reader: Reader,
    customer_id: str,
    headers: Mapping[str, str],
    *,
    deadline_seconds: float,
    now: datetime,
) -> dict[str, Any]:
    """Ask every service once, all at the same time, each with its own deadline.

    Raises:
        NotFound: if the customer is not there, or not the caller's to see.
        Forbidden: if the token may not read it.
    """
    shares = await shares_of(
        fetch,
        reader.parts_by_service(),
        customer_id,
        headers,
        limit=reader.limit,
        deadline_seconds=deadline_seconds,
    )
    return domain.assemble(customer_id, reader, shares, now=now)


async def shares_of(
    fetch: Fetch,
    wanted: Mapping[str, list[str]],
    customer_id: str,
    headers: Mapping[str, str],
    *,
    limit: int,
    deadline_seconds: float,
) -> list[Share]:
    """Return what each service gives of the parts that are wanted of it.

    Raises:
        NotFound: if profile says that the customer is not there, or not the caller's to see.
        Forbidden: if it says that the token may not read it.
    """

    async def ask(service: str, parts: list[str]) -> Share:
        path = f"/v1/customers/{customer_id}/parts/{service}"
        query = f"names={','.join(parts)}&limit={limit}"
        try:
            async with asyncio.timeout(deadline_seconds):
                return domain.share_of(service, *await fetch(path, headers, query=query))
        except TimeoutError:
            detail = f"No answer within {deadline_seconds:g} s"
            return Share(service=service, code="timed_out", detail=detail)
        except DomainError as error:
            return Share(service=service, code=error.reason, detail=error.detail)

    shares = await asyncio.gather(*(ask(service, parts) for service, parts in wanted.items()))
    for share in shares:
        if share.service == domain.ESSENTIAL and share.status == HTTPStatus.NOT_FOUND:
            raise NotFound(share.detail, code=share.code)
        if share.service == domain.ESSENTIAL and share.status == HTTPStatus.FORBIDDEN:
            raise Forbidden(share.detail, code=share.code)
    return shares
