"""Gathering a customer's 360° view with the caller's own token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from gateway.customers import domain
from gateway.customers.domain import Part
from shared.errors import DomainError, Forbidden, NotFound

Fetch = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, bytes]]]


async def view(
    fetch: Fetch, customer_id: str, headers: Mapping[str, str], *, deadline_seconds: float
) -> dict[str, Any]:
    """Ask all parts at once, each with its own deadline.

    Raises:
        NotFound: if the customer's own record is not there, or not the caller's to see.
        Forbidden: if the token may not read it.
    """
    parts = await asyncio.gather(
        *(
            _part(fetch, name, path.format(id=customer_id), headers, deadline_seconds)
            for name, path in domain.PARTS.items()
        )
    )
    essential = next(part for part in parts if part.name == domain.ESSENTIAL)
    if essential.status == HTTPStatus.NOT_FOUND:
        raise NotFound(essential.detail, code=essential.code)
    if essential.status == HTTPStatus.FORBIDDEN:
        raise Forbidden(essential.detail, code=essential.code)
    return domain.assemble(customer_id, parts)


async def _part(
    fetch: Fetch, name: str, path: str, headers: Mapping[str, str], deadline_seconds: float
) -> Part:
    try:
        async with asyncio.timeout(deadline_seconds):
            return domain.part_of(name, *await fetch(path, headers))
    except TimeoutError:
        return Part(name=name, code="timed_out", detail=f"No answer within {deadline_seconds:g} s")
    except DomainError as error:
        return Part(name=name, code=error.reason, detail=error.detail)
