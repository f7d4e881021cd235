"""OAuth 2.0 for programs: the token endpoint and its description (statement A2)."""

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Header
from fastapi import Request as HttpRequest
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from gateway.documents.api import MergedDocument
from gateway.tokens import domain
from gateway.tokens.domain import Request, TokenRefused
from gateway.tokens.service import TokenServer
from shared.app import AppSettings
from shared.clock import real_now

router = APIRouter(tags=["tokens"])

_NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class AccessToken(BaseModel):
    """The answer of RFC 6749 §5.1."""

    access_token: str = Field(description="Send as `Authorization: Bearer …`")
    token_type: str = Field(default="Bearer", description="Always Bearer")
    expires_in: int = Field(description="Seconds until it expires")
    scope: str = Field(description="What it may do, separated by spaces")


class TokenError(BaseModel):
    """The refusal of RFC 6749 §5.2."""

    error: str = Field(description="invalid_client, invalid_scope, …")
    error_description: str = Field(description="What was wrong, for people")


def _token_server(request: HttpRequest) -> TokenServer:
    return request.app.state.token_server


class TokenForm(BaseModel):
    """The request of RFC 6749 §4.4.2; all optional here, so that refusals are RFC 6749's too."""

    grant_type: str | None = Field(default=None, description="client_credentials")
    scope: str | None = Field(default=None, description="Fewer scopes than the client has")
    customer: str | None = Field(default=None, description="Bind the token to one customer")
    client_id: str | None = Field(default=None, description="If not sent by HTTP Basic")
    client_secret: str | None = Field(default=None, description="If not sent by HTTP Basic")
    client_assertion_type: str | None = Field(default=None, description="For private_key_jwt")
    client_assertion: str | None = Field(default=None, description="For private_key_jwt")


def _read(
    form: Annotated[TokenForm, Form()],
    authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Request:
    basic = domain.basic_credentials(authorization)
    if basic is not None and (form.client_secret or form.client_assertion):
        raise TokenRefused("invalid_request", "Prove the client in one way, not in two")
    client_id, client_secret = basic or (form.client_id, form.client_secret)
    return Request(
        grant_type=form.grant_type,
        scope=form.scope,
        customer=form.customer,
        client_id=client_id,
        client_secret=client_secret,
        assertion_type=form.client_assertion_type,
        assertion=form.client_assertion,
    )


@router.post(
    "/oauth/token",
    response_model=AccessToken,
    responses={status: {"model": TokenError} for status in (400, 401, 429)},
)
async def issue_token(
    request: Annotated[Request, Depends(_read)],
    server: Annotated[TokenServer, Depends(_token_server)],
    response: Response,
) -> AccessToken:
    """Issue an access token for a client (client_credentials)."""
    now = real_now()
    granted = await server.grant(request, now=now)
    response.headers.update(_NOT_STORED)
    return AccessToken(
        access_token=server.sign(granted, now=now),
        expires_in=int(server.lifetime.total_seconds()),
        scope=" ".join(sorted(granted.scopes)),
    )


@router.get("/.well-known/oauth-authorization-server", include_in_schema=False)
async def describe_server(settings: AppSettings, merged: MergedDocument) -> JSONResponse:
    """Describe the token server (RFC 8414)."""
    issuer = settings.token_issuer
    return JSONResponse(
        {
            "issuer": issuer,
            "token_endpoint": f"{issuer}/oauth/token",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic",
                "client_secret_post",
                "private_key_jwt",
            ],
            "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
            "scopes_supported": merged.scopes,
            "service_documentation": f"{issuer}/docs",
        }
    )


async def answer_refusal(_: HttpRequest, error: Exception) -> Response:
    """The token endpoint's own kind of error document (RFC 6749 §5.2)."""
    assert isinstance(error, TokenRefused)  # noqa: S101 - registered for this type only
    headers = dict(_NOT_STORED)
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="bihuan"'
    if error.status == 429:
        headers["Retry-After"] = "60"
    document = {"error": error.error, "error_description": error.description}
    return JSONResponse(document, error.status, headers)
