"""Why the door turns a request away, each as a problem document (statement A1)."""

import math
from collections.abc import Iterable

from starlette.responses import Response

from shared import problems
from shared.errors import DomainError, Malformed, NotFound, Unauthenticated, Unavailable


class UnknownPath(NotFound):
    code = "unknown_path"
    title = "No operation has this path"

    def __init__(self) -> None:
        super().__init__("No operation has this path; the operations are listed at /openapi.json")


class InvalidId(Malformed):
    code = "invalid_id"
    title = "An id in the path is not well formed"

    def __init__(self) -> None:
        super().__init__("Ids have 1 to 64 letters, digits, '_' and '-'")


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    title = "The path does not know this method"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allow = ", ".join(sorted(allowed))
        super().__init__(f"This path answers {self.allow}")


class RateLimited(DomainError):
    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, limit: str, *, retry_after_seconds: float) -> None:
        self.retry_after = str(max(1, math.ceil(retry_after_seconds)))
        super().__init__(
            f"This client may send {limit}; try again in {self.retry_after} s", limit=limit
        )


class UploadTooSlow(DomainError):
    code = "upload_too_slow"
    title = "The request's body did not arrive in time"


class ClientRevoked(Unauthenticated):
    code = "client_revoked"
    title = "The client has been disabled"


class ServiceUnavailable(Unavailable):
    code = "service_unavailable"
    title = "The service that owns this path does not answer"

    def __init__(self, service: str) -> None:
        super().__init__(f"The {service} service does not answer; try again shortly", part=service)


class Fault(DomainError):
    code = "internal_error"
    title = "A fault of ours"

    def __init__(self) -> None:
        super().__init__("The request failed for a reason of ours; report the trace_id")


_OWN_STATUS: dict[type[DomainError], int] = {
    UploadTooSlow: 408,
    MethodNotAllowed: 405,
    RateLimited: 429,
    Fault: 500,
}


def respond(error: DomainError, path: str) -> Response:
    """The problem document of a refusal, with the headers its status asks for."""
    status = _OWN_STATUS.get(type(error)) or problems.status_of(error)
    document = problems.document(
        status=status,
        title=error.title,
        detail=error.detail,
        code=error.reason,
        instance=path,
        fields=error.errors,
        extras=error.extras,
    )
    return problems.respond(document, _headers(error))


def _headers(error: DomainError) -> dict[str, str]:
    match error:
        case MethodNotAllowed():
            return {"Allow": error.allow}
        case RateLimited():
            return {"Retry-After": error.retry_after}
        case Unauthenticated():
            return {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        case _:
            return {}
