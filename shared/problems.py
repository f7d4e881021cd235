"""RFC 9457 problem documents: the one place where errors meet HTTP."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import asyncpg
import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shared import errors
from shared.errors import DomainError, FieldError
from shared.logging import log
from shared.outage import is_outage
from shared.statuses import KINDS, MEDIA_TYPE, status_of
from shared.trace import trace_id


class ProblemField(BaseModel):
    pointer: str = Field(description="JSON pointer into the body, or `query:name`, `header:Name`")
    detail: str = Field(description="What is wrong with it")


class Problem(BaseModel):
    """An RFC 9457 problem document."""

    type: str = Field(description="URI of the kind of problem")
    title: str = Field(description="The kind of problem in a few words")
    status: int = Field(description="HTTP status", ge=400, le=599)
    detail: str = Field(description="What was wrong here, and what to do")
    instance: str = Field(description="Path of the request")
    code: str = Field(description="Stable reason in snake_case; see `/v1/codes`")
    trace_id: str = Field(description="Finds this request in every log")
    errors: list[ProblemField] = Field(default=[], description="The fields that were wrong")


def document(
    *,
    status: int,
    title: str,
    detail: str,
    code: str,
    instance: str,
    fields: tuple[FieldError, ...] = (),
    extras: Mapping[str, object] | None = None,
) -> dict[str, object]:
    """Compose a problem document; `extras` never overwrite the standard members."""
    return {
        **(extras or {}),
        "type": f"urn:bihuan:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance,
        "code": code,
        "trace_id": trace_id(),
        "errors": [{"pointer": field.pointer, "detail": field.detail} for field in fields],
    }


def problem_of(error: DomainError, instance: str) -> dict[str, object]:
    """Compose the document of a domain error."""
    return document(
        status=status_of(error),
        title=error.title,
        detail=error.detail,
        code=error.reason,
        instance=instance,
        fields=error.errors,
        extras=error.extras,
    )


def respond(problem: Mapping[str, object], headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a problem document."""
    status = int(str(problem["status"]))
    extra = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        extra.setdefault("WWW-Authenticate", "Bearer")
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        extra.setdefault("Retry-After", "1")
    return Response(orjson.dumps(problem), status, headers=extra, media_type=MEDIA_TYPE)


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that may answer these problems."""
    return {
        status: {
            "description": KINDS[status].title if status in KINDS else HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Make every error of the application a problem document."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    for kind in _MAYBE_OUTAGES:
        app.add_exception_handler(kind, _on_outage)
    app.add_exception_handler(Exception, _on_bug)


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)  # noqa: S101 - registered for this type only
    return respond(problem_of(error, request.url.path))


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type only
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        place = found[0].get("ctx", {}).get("error", "")
        cause: DomainError = errors.Malformed(
            f"The body is not valid JSON: {place}", code="malformed_json"
        )
    else:
        fields = [FieldError(_pointer(item["loc"]), item["msg"]) for item in found]
        cause = errors.Invalid(
            f"{len(fields)} field(s) are wrong: {', '.join(f.pointer for f in fields[:5])}",
            errors=fields,
        )
    return respond(problem_of(cause, request.url.path))


def _pointer(location: tuple[object, ...]) -> str:
    place, *rest = location
    if place == "body":
        return "/" + "/".join(str(part) for part in rest)
    return f"{place}:{'.'.join(str(part) for part in rest)}"


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type only
    status = HTTPStatus(error.status_code)
    kind = KINDS.get(status)
    problem = document(
        status=status,
        title=kind.title if kind else status.phrase,
        detail=str(error.detail),
        code=kind.code if kind else status.phrase.lower().replace(" ", "_"),
        instance=request.url.path,
    )
    return respond(problem, error.headers)


_UNSTORABLE = errors.Invalid(
    "A text holds a character that cannot be stored: NUL or half a surrogate pair",
    code="unstorable_text",
)


_MAYBE_OUTAGES = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    DBAPIError,
)
_OUTAGE = errors.Unavailable(
    "The database does not answer now, and whether this took effect is not known: "
    "send it again, with the same ids and the same Idempotency-Key",
    code="database_unavailable",
)


def _is_unstorable_text(error: BaseException) -> bool:
    """Tell whether the database refused a text that no validation of ours had stopped."""
    return isinstance(error, UnicodeEncodeError | asyncpg.CharacterNotInRepertoireError)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what caused it: SQLAlchemy wraps those of the driver."""
    while error is not None:
        yield error
        error = error.__cause__


async def _on_outage(request: Request, error: Exception) -> Response:
    """Answer for a database that is away; any other error goes on its way."""
    if not any(is_outage(cause) for cause in _causes(error)):
        raise error
    log.warning("database_unavailable", kind=type(error).__name__, path=request.url.path)
    return respond(problem_of(_OUTAGE, request.url.path))


async def _on_bug(request: Request, error: Exception) -> Response:
    if any(_is_unstorable_text(cause) for cause in _causes(error)):
        return respond(problem_of(_UNSTORABLE, request.url.path))
    log.error("unhandled_error", exc_info=error, method=request.method, path=request.url.path)
    return respond(
        document(
            status=500,
            title="A fault of ours",
            detail="The request failed for a reason of ours; nothing of it was kept. "
            "Report the trace_id.",
            code="internal_error",
            instance=request.url.path,
        )
    )
