"""Who calls, what they may do and whose data they may see."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any, cast

import orjson
from fastapi import Depends, Request, Security
from fastapi.openapi.models import OAuthFlowClientCredentials, OAuthFlows
from fastapi.security import OAuth2, SecurityScopes
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from starlette.requests import HTTPConnection

from shared.errors import Forbidden, Unauthenticated, Unavailable
from shared.tokens import Token

TOKEN_TYPE = "at+jwt"  # noqa: S105 - the media type of RFC 9068, no secret
ALGORITHM = "ES256"
LEEWAY_SECONDS = 5
CACHED_TOKENS = 4096
REFETCH_SECONDS = 10.0
KEYS_KEPT_SECONDS = 300.0

FetchKeys = Callable[[], Awaitable[dict[str, Any]]]


class Verifier:
    """Verifies access tokens: signature, type, issuer, audience, expiry (statement A3)."""

    def __init__(self, *, issuer: str, audience: str, fetch_keys: FetchKeys) -> None:
        self._issuer = issuer
        self._audience = audience
        self._fetch_keys = fetch_keys
        self._keys: KeySet | None = None
        self._fetched_at = 0.0
        self._known: OrderedDict[str, Token] = OrderedDict()

    async def verify(self, authorization: str | None) -> Token:
        """Return the token of an Authorization header.

        Raises:
            Unauthenticated: says what is wrong with it.
            Unavailable: the keys could not be fetched.
        """
        scheme, _, text = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not text:
            raise Unauthenticated(
                "Send an access token: 'Authorization: Bearer …'; get one at POST /oauth/token"
            )
        known = self._known.get(text)
        if known is None:
            known = self._remember(text, await self._check(text))
        if known.expires_at + LEEWAY_SECONDS < time.time():
            raise Unauthenticated("The access token has expired", code="token_expired")
        return known

    async def ready(self) -> bool:
        """Tell whether the keys are known, fetching them if not."""
        if self._keys is None:
            await self._fetch()
        return True

    def _remember(self, text: str, token: Token) -> Token:
        self._known[text] = token
        while len(self._known) > CACHED_TOKENS:
            self._known.popitem(last=False)
        return token

    async def _check(self, text: str) -> Token:
        keys = await self._current_keys()
        try:
            return self._claims(text, keys)
        except Unauthenticated:
            # a key may have been rotated in; ask again, but not for every forged token
            if time.monotonic() - self._fetched_at < REFETCH_SECONDS:
                raise
            return self._claims(text, await self._fetch())

    async def _current_keys(self) -> KeySet:
        """Return the keys, asked for again now and then: a withdrawn one must stop counting."""
        is_old = time.monotonic() - self._fetched_at > KEYS_KEPT_SECONDS
        if self._keys is None:
            return await self._fetch()
        if is_old:
            with suppress(Unavailable):
                return await self._fetch()
        return self._keys

    async def _fetch(self) -> KeySet:
        document = await self._fetch_keys()
        self._fetched_at = time.monotonic()
        self._keys = KeySet.import_key_set(cast("Any", document))
        return self._keys

    def _claims(self, text: str, keys: KeySet) -> Token:
        try:
            decoded = jwt.decode(text, keys, algorithms=[ALGORITHM])
            registry = jwt.JWTClaimsRegistry(
                leeway=LEEWAY_SECONDS,
                iss={"essential": True, "value": self._issuer},
                aud={"essential": True, "value": self._audience},
                exp={"essential": True},
                sub={"essential": True},
            )
            registry.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            expired = "expired" in type(error).__name__.lower()
            raise Unauthenticated(
                "The access token has expired"
                if expired
                else f"The access token is not valid: {error}",
                code="token_expired" if expired else None,
            ) from error
        if decoded.header.get("typ") != TOKEN_TYPE:
            raise Unauthenticated(f"The access token's type must be {TOKEN_TYPE}")
        return _token(decoded.claims)


def _token(claims: dict[str, Any]) -> Token:
    return Token(
        client_id=claims.get("client_id", claims["sub"]),
        scopes=frozenset(claims.get("scope", "").split()),
        expires_at=int(claims["exp"]),
        customer=claims.get("customer"),
        org=claims.get("org"),
        rm=claims.get("rm"),
        actor=claims.get("actor"),
        roles=tuple(claims.get("roles", ())),
    )


def fixed_keys(document: str) -> FetchKeys:
    """Return a source of keys that always answers with this JWKS document."""

    async def fetch() -> dict[str, Any]:
        return orjson.loads(document)

    return fetch


class _Scheme(OAuth2):
    async def __call__(self, request: HTTPConnection) -> str | None:
        return request.headers.get("authorization")


scheme = _Scheme(
    scheme_name="bihuan",
    description="OAuth2 client credentials; the gateway issues the token.",
    flows=OAuthFlows(
        clientCredentials=OAuthFlowClientCredentials(tokenUrl="/oauth/token", scopes={})
    ),
)


async def _authorise(
    request: Request,
    wanted: SecurityScopes,
    authorization: Annotated[str | None, Depends(scheme)],
) -> Token:
    """Verify the token, its scopes, and that it may see the customer in the path."""
    token = await authorise(request, *wanted.scopes, authorization=authorization)
    customer_id = request.path_params.get("customer_id")
    if customer_id is not None:
        token.must_see(customer_id)
    return token


async def authorise(request: Request, *scopes: str, authorization: str | None = None) -> Token:
    """Verify the caller of a request outside FastAPI's dependencies (the page-load path)."""
    verifier: Verifier = request.app.state.verifier
    token = await verifier.verify(authorization or request.headers.get("authorization"))
    missing = [scope for scope in scopes if scope not in token.scopes]
    if missing:
        raise Forbidden(
            f"This operation needs the scope {' '.join(missing)}", scope=" ".join(missing)
        )
    return token


def requires(*scopes: str) -> Any:
    """Return the dependency of a route that needs these scopes; OpenAPI shows them."""
    return Security(_authorise, scopes=list(scopes))


CurrentToken = Annotated[Token, Security(_authorise)]


async def _actor(token: CurrentToken) -> str:
    return token.author


CurrentActor = Annotated[str, Depends(_actor)]
