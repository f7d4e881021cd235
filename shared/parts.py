"""Many parts of one customer in one answer: how each service gives its share of the 360° view.

A part is word for word what an operation of its own answers; a list is cut at `limit`, and its
`next` goes on there.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from shared.auth import authorise
from shared.errors import FieldError, Forbidden, Malformed, NotFound
from shared.parameters import MAX_LIMIT
from shared.plain import PlainRoute
from shared.problems import problem_responses
from shared.tokens import Token

USUAL_LIMIT = 50
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WHOLE = re.compile(r"[1-9][0-9]{0,2}")
_PARAMETERS = frozenset({"names", "limit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A part that a service gives: the operation that answers the same, and the scope it needs.

    A token that is bound to a customer gets it only if it is `for_customers`: nothing stands in it
    that the bank thinks of the customer.
    """

    says: str
    scope: str
    for_customers: bool = False

    def refusal(self, token: Token) -> str | None:
        """Say why a token does not get the part; None if it does."""
        if self.scope not in token.scopes:
            return f"This part needs the scope {self.scope}"
        if token.customer is not None and not self.for_customers:
            return "This part is for staff; the token is bound to a customer"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which parts of whom a caller asks for, those that its token allows."""

    customer_id: str
    names: frozenset[str]
    limit: int
    token: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Parts of a customer by name; `as_of` names those that are of an earlier moment."""

    customer_id: str
    now: datetime
    parts: Mapping[str, Any]
    as_of: Mapping[str, datetime] = field(default_factory=dict[str, datetime])


class PartMissing(BaseModel):
    """A part that could not be had."""

    part: str = Field(description="Its name", examples=["outcomes"])
    code: str = Field(description="Reason", examples=["insufficient_scope"])
    detail: str = Field(description="Reason in words")


Read = Callable[[Request, Wanted], Awaitable[Found]]


class PartsRoute(PlainRoute):
    """`GET /v1/customers/{customer_id}/parts/{service}`: the parts of one customer, ready bytes.

    Args:
        service: whose share of the view it is.
        offers: its parts by name.
        read: gathers those that are wanted.
    """

    def __init__(self, service: str, offers: Mapping[str, Offer], read: Read) -> None:
        super().__init__(
            f"/v1/customers/{{customer_id}}/parts/{service}", self._answer, method="GET"
        )
        self._service = service
        self._offers = offers
        self._read = read

    async def _answer(self, request: Request) -> Response:
        token = await authorise(request)
        names, limit = self._asked(request)
        customer_id = _customer_of(request, token)
        reasons = {name: self._offers[name].refusal(token) for name in names}
        missing = [
            PartMissing(part=name, code=Forbidden.code, detail=reason)
            for name, reason in reasons.items()
            if reason is not None
        ]
        if len(missing) == len(reasons):
            raise Forbidden(missing[0].detail)
        allowed = frozenset(name for name, reason in reasons.items() if reason is None)
        wanted = Wanted(customer_id=customer_id, names=allowed, limit=limit, token=token)
        found = await self._read(request, wanted)
        return Response(_bytes(found, missing), media_type="application/json")

    def _asked(self, request: Request) -> tuple[list[str], int]:
        query = request.query_params
        if unknown := sorted(set(query) - _PARAMETERS):
            raise Malformed(
                f"Unknown query parameter {', '.join(unknown)}",
                code="unknown_parameter",
                errors=[FieldError(f"query:{name}", "unknown parameter") for name in unknown],
            )
        names = [name for name in query.get("names", "").split(",") if name] or list(self._offers)
        if not set(names) <= self._offers.keys():
            raise Malformed(
                f"The parts are {', '.join(self._offers)}",
                errors=[FieldError("query:names", "names a part that is not there")],
            )
        return names, _limit_of(query.get("limit"))

    def describe(self, app: FastAPI) -> None:
        """Put the operation into the API document, by hand."""
        generate = app.openapi

        def openapi() -> dict[str, Any]:
            document = generate()
            document["paths"].setdefault(self.path, {"get": self._operation()})
            return document

        app.openapi = openapi

    def _operation(self) -> dict[str, Any]:
        problems = problem_responses(400, 401, 403, 404, 413, 422, 429, 503)
        answer = {
            "description": "What there is",
            "content": {"application/json": {"schema": self._schema()}},
        }
        scopes = sorted({offer.scope for offer in self._offers.values()})
        return {
            "operationId": f"get_{self._service}_parts",
            "summary": f"Return many of {self._service}'s parts of one customer in one answer.",
            "description": "Each is what its own operation answers. One that the token's scopes "
            f"({', '.join(scopes)}) do not allow is named in `missing`.",
            "tags": ["parts"],
            "security": [{"bihuan": [scope]} for scope in scopes],
            "parameters": self._parameters(),
            "responses": {"200": answer, **{str(code): item for code, item in problems.items()}},
        }

    def _parameters(self) -> list[dict[str, Any]]:
        names = "|".join(self._offers)
        return [
            {
                "name": "customer_id",
                "in": "path",
                "required": True,
                "schema": {"type": "string", "pattern": f"^{_ID.pattern}$"},
            },
            {
                "name": "names",
                "in": "query",
                "required": False,
                "description": f"Of {', '.join(self._offers)}, joined by commas; default: all",
                "schema": {"type": "string", "pattern": f"^({names})(,({names}))*$"},
            },
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "description": "Most entries of each list",
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_LIMIT,
                    "default": USUAL_LIMIT,
                },
            },
        ]

    def _schema(self) -> dict[str, Any]:
        parts = {name: {"description": offer.says} for name, offer in self._offers.items()}
        moment = {"type": "string", "format": "date-time"}
        return {
            "type": "object",
            "required": ["customer_id", "now", "parts", "as_of", "missing"],
            "properties": {
                "customer_id": {
                    "type": "string",
                    "description": "Of a record that was merged, the survivor's",
                },
                "now": {**moment, "description": "Business time of the answer"},
                "parts": {
                    "type": "object",
                    "properties": parts,
                    "description": "By name; one that was not asked for is not there",
                },
                "as_of": {
                    "type": "object",
                    "additionalProperties": moment,
                    "description": "Of the parts that are older than the answer: of when",
                },
                "missing": {
                    "type": "array",
                    "items": PartMissing.model_json_schema(),
                    "description": "Parts that the token does not allow",
                },
            },
        }


def _customer_of(request: Request, token: Token) -> str:
    customer_id: str = request.path_params["customer_id"]
    if not _ID.fullmatch(customer_id):
        raise NotFound("Ids have 1 to 64 letters, digits, '_' and '-'")
    token.must_see(customer_id)
    return customer_id


def _limit_of(text: str | None) -> int:
    if text is None:
        return USUAL_LIMIT
    if not _WHOLE.fullmatch(text) or int(text) > MAX_LIMIT:
        raise Malformed(
            f"limit is a number from 1 to {MAX_LIMIT}",
            errors=[FieldError("query:limit", f"from 1 to {MAX_LIMIT}")],
        )
    return int(text)


def _bytes(found: Found, missing: list[PartMissing]) -> bytes:
    answer = {
        "customer_id": found.customer_id,
        "now": found.now,
        "parts": found.parts,
        "as_of": found.as_of,
        "missing": missing,
    }
    return orjson.dumps(answer, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    raise TypeError(f"{type(value).__name__} is not JSON")
