"""The copy of all that is held on a person: which parts it has, whole or not at all (P11)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson

from shared.errors import Conflict, DomainError, Forbidden, NotFound, Unauthenticated, Unavailable

SERVICES = ("profile", "segment", "strategy", "feedback")
ACCESS = "access"
REFUSED = "refused"
NOTHING = b'"nothing_held"'
_KINDS: Mapping[int, type[DomainError]] = {
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
}


class NoCopyDue(Conflict):
    code = "no_copy_due"
    title = "Only a request for access that was not refused is answered with a copy"


def read(what: str, status: int, body: bytes) -> dict[str, Any]:
    """Read what was answered; a copy that lacks a part is no copy.

    Raises:
        DomainError: the service refused, as it refused.
        Unavailable: it did not answer as it should.
    """
    if status == HTTPStatus.OK:
        return orjson.loads(body)
    try:
        problem: dict[str, Any] = orjson.loads(body)
    except orjson.JSONDecodeError:
        problem = {}
    kind = _KINDS.get(status, Unavailable)
    detail = f"{what} cannot be had: {problem.get('detail') or f'it answered {status}'}"
    raise kind(detail, code=problem.get("code"))


def part(service: str, record: str, status: int, body: bytes) -> dict[str, Any]:
    """Read what a service holds under a record, which may be nothing.

    Raises:
        DomainError: see `read`.
    """
    if status == HTTPStatus.NOT_FOUND and NOTHING in body:
        return {"service": service, "customer_id": record, "stores": []}
    return read(f"What {service} holds", status, body)


def check(request: Mapping[str, Any]) -> None:
    """Refuse a copy that nobody has a right to.

    Raises:
        NoCopyDue: the request asks for something else, or was refused.
    """
    if request["kind"] != ACCESS or request["state"] == REFUSED:
        raise NoCopyDue(f"Request {request['request_id']} is {request['kind']}, {request['state']}")


def assemble(
    request: Mapping[str, Any], parts: Sequence[tuple[str, Mapping[str, Any]]]
) -> dict[str, Any]:
    """Compose the copy; `parts` gives what each service holds under each of the records."""
    return {
        "request": request,
        "records": sorted({part["customer_id"] for _, part in parts}),
        "services": {
            service: [part for name, part in parts if name == service] for service in SERVICES
        },
    }
