"""Gathering the copy of all that is held on a person, with the caller's own token."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gateway.rights import domain

Fetch = Callable[[str, Mapping[str, str]], Awaitable[tuple[int, bytes]]]


async def bundle(fetch: Fetch, request_id: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Ask every service what it holds under every record of the customer.

    Raises:
        NotFound: there is no such request, or it is not the caller's to see.
        Forbidden: the token may not.
        NoCopyDue: the request is not one for access, or was refused.
        Unavailable: a service does not answer, and a part is no copy.
    """
    path = f"/v1/rights-requests/{request_id}"
    request = domain.read("The request", *await fetch(path, headers))
    domain.check(request)
    asked = [(service, record) for service in domain.SERVICES for record in request["records"]]
    answers = await asyncio.gather(
        *(fetch(f"/v1/rights/{service}/customers/{record}", headers) for service, record in asked)
    )
    parts = [
        (service, domain.part(service, record, *answer))
        for (service, record), answer in zip(asked, answers, strict=True)
    ]
    return domain.assemble(request, parts)
