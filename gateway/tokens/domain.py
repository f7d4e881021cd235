"""Access tokens (RFC 9068): what a client asks for, what it is granted, and the signed text."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from gateway.clients.domain import Client
from gateway.keys.domain import SigningKey
from gateway.staff.domain import ActorClaims
from shared.auth import ALGORITHM, TOKEN_TYPE, Token

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_ASSERTION_LIFETIME = timedelta(minutes=10)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class TokenRefused(Exception):
    """An error of RFC 6749 §5.2."""

    def __init__(self, error: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def invalid_client(
    description: str = "The client is unknown or its secret is wrong",
) -> TokenRefused:
    """The refusal of a client that has not proved itself; says no more than that."""
    return TokenRefused("invalid_client", description, status=401)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What arrived at the token endpoint."""

    grant_type: str | None = None
    scope: str | None = None
    customer: str | None = None
    client_id: str | None = None
    client_secret: str | None = None
    assertion_type: str | None = None
    assertion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a token says about its client."""

    client_id: str
    scopes: frozenset[str]
    customer: str | None = None
    actor: ActorClaims | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Who signs, for whom."""

    name: str
    audience: str
    key: SigningKey


def basic_credentials(header: str | None) -> tuple[str, str] | None:
    """Read an Authorization header by RFC 6749 §2.3.1; None if it is not Basic.

    Raises:
        TokenRefused: if it is Basic and unreadable.
    """
    scheme, _, text = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise invalid_client("The Authorization header is not Basic") from error
    if not colon:
        raise invalid_client("The Authorization header is not Basic")
    return unquote(client_id), unquote(secret)


def grant(client: Client, request: Request) -> Grant:
    """Decide what an authenticated client is granted.

    Raises:
        TokenRefused: by RFC 6749 §5.2.
    """
    if request.grant_type is None:
        raise TokenRefused("invalid_request", "grant_type is missing")
    if request.grant_type != "client_credentials":
        raise TokenRefused("unsupported_grant_type", "Only client_credentials is supported")
    wanted = frozenset((request.scope or "").split()) or client.scopes
    if not wanted <= client.scopes:
        beyond = " ".join(sorted(wanted - client.scopes))
        raise TokenRefused("invalid_scope", f"The client may not have: {beyond}")
    if request.customer is not None:
        _check_customer(client, request.customer)
    return Grant(client_id=client.client_id, scopes=wanted, customer=request.customer)


def _check_customer(client: Client, customer: str) -> None:
    if not client.bind_customer:
        raise TokenRefused("unauthorized_client", "The client may not bind tokens to a customer")
    if not _ID.fullmatch(customer):
        raise TokenRefused("invalid_request", "customer must be an id of 1 to 64 characters")


def issue(issuer: Issuer, granted: Grant, *, jti: str, now: datetime, expires_at: datetime) -> str:
    """Sign an access token by ES256."""
    claims: dict[str, Any] = {
        "iss": issuer.name,
        "aud": issuer.audience,
        "sub": granted.client_id,
        "client_id": granted.client_id,
        "scope": " ".join(sorted(granted.scopes)),
        "iat": int(now.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": jti,
    }
    if granted.customer is not None:
        claims["customer"] = granted.customer
    if granted.actor is not None:
        claims |= _actor_claims(granted.actor)
    header = {"alg": ALGORITHM, "typ": TOKEN_TYPE, "kid": issuer.key.kid}
    return jwt.encode(header, claims, issuer.key.key)


def _actor_claims(actor: ActorClaims) -> dict[str, Any]:
    narrowing = {"org": actor.org, "rm": actor.rm}
    return {
        "actor": actor.actor,
        "roles": list(actor.roles),
        **{name: value for name, value in narrowing.items() if value is not None},
    }


def on_behalf(token: Token, actor: ActorClaims) -> Grant:
    """What the client's token becomes when a person stands behind the request."""
    return Grant(
        client_id=token.client_id, scopes=actor.scopes, customer=token.customer, actor=actor
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """A client's signed proof (RFC 7523), to be used once."""

    jti: str
    expires_at: int


def claimed_client(assertion: str) -> str:
    """Return the client an assertion speaks of, not yet verified.

    Raises:
        TokenRefused: if it cannot be read.
    """
    try:
        payload = assertion.split(".")[1]
        claims = orjson.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise invalid_client("The assertion is not a JWT") from error


def verify_assertion(
    assertion: str, client: Client, *, audiences: Sequence[str], now: datetime
) -> Assertion:
    """Verify private_key_jwt by the client's registered key.

    Raises:
        TokenRefused: if the signature, a claim or its lifetime is wrong.
    """
    if client.public_key is None:
        raise invalid_client()
    registry = jwt.JWTClaimsRegistry(
        now=lambda: int(now.timestamp()),
        leeway=30,
        iss={"essential": True, "value": client.client_id},
        sub={"essential": True, "value": client.client_id},
        aud={"essential": True, "values": list(audiences)},
        exp={"essential": True},
        jti={"essential": True},
    )
    try:
        key = ECKey.import_key(client.public_key)
        claims = jwt.decode(assertion, key, algorithms=[ALGORITHM]).claims
        registry.validate(claims)
    except (JoseError, ValueError) as error:
        raise invalid_client(f"The assertion is not valid: {error}") from error
    if claims["exp"] > (now + MAX_ASSERTION_LIFETIME).timestamp():
        raise invalid_client("The assertion is valid for too long; use at most 10 minutes")
    return Assertion(jti=str(claims["jti"]), expires_at=int(claims["exp"]))
