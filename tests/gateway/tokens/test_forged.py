"""A3: bad and forged access tokens are refused at the door, each with its problem document."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.keys.domain import current
from tests.gateway.conftest import Suite, now

pytestmark = pytest.mark.anyio

Forge = Callable[[Suite], str]


def claims(**changes: Any) -> dict[str, Any]:
    whole = {
        "iss": "http://127.0.0.1:8000", "aud": "bihuan", "sub": "operator", "client_id": "operator",
        "scope": "things:read", "iat": now(), "exp": now() + 60, "jti": "j", **changes,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def signed(suite: Suite, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Sign with the gateway's own current key: only what `header` and `changes` say is wrong."""
    key = current(suite.door.own.state.directory.known.keys)
    whole = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **(header or {})}
    return jwt.encode(whole, claims(**changes), key.key)


def part(value: Any) -> str:
    raw = value if isinstance(value, bytes) else orjson.dumps(value)
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def unsigned(_: Suite) -> str:
    return f"{part({'alg': 'none', 'typ': 'at+jwt'})}.{part(claims())}."


def signed_by_the_public_key_as_an_hmac_secret(suite: Suite) -> str:
    key = current(suite.door.own.state.directory.known.keys)
    body = f"{part({'alg': 'HS256', 'typ': 'at+jwt', 'kid': key.kid})}.{part(claims())}"
    secret = key.key.as_pem(private=False)
    return f"{body}.{part(hmac.digest(secret, body.encode(), hashlib.sha256))}"


def signed_by_another_key(suite: Suite) -> str:
    known = current(suite.door.own.state.directory.known.keys).kid
    header = {"alg": "ES256", "typ": "at+jwt", "kid": known}
    return jwt.encode(header, claims(), ECKey.generate_key("P-256"))


def signed_by_an_unknown_key(_: Suite) -> str:
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "unknown"}
    return jwt.encode(header, claims(), ECKey.generate_key("P-256"))


def tampered(suite: Suite) -> str:
    header, _, signature = signed(suite).split(".")
    return f"{header}.{part(claims(scope='clients:admin'))}.{signature}"


def with_its_own_key_inside(suite: Suite) -> str:
    own = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "typ": "at+jwt", "jwk": own.as_dict(private=False)}
    return jwt.encode(header, claims(), own)


FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "HMAC with the public key": signed_by_the_public_key_as_an_hmac_secret,
    "another key under a known kid": signed_by_another_key,
    "unknown kid": signed_by_an_unknown_key,
    "tampered claims": tampered,
    "key in the header": with_its_own_key_inside,
    "cut signature": lambda suite: signed(suite)[:-8],
    "wrong issuer": lambda suite: signed(suite, iss="http://elsewhere"),
    "wrong audience": lambda suite: signed(suite, aud="another"),
    "expired": lambda suite: signed(suite, exp=now() - 60),
    "no expiry": lambda suite: signed(suite, exp=None),
    "no subject": lambda suite: signed(suite, sub=None),
    "wrong typ": lambda suite: signed(suite, {"typ": "JWT"}),
    "critical header": lambda suite: signed(suite) + "x",
    "no JWT": lambda _: "abc",
    "huge": lambda _: "x" * 20_000,
    "not ASCII": lambda _: "é.ü.ß",
}


@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("path", ["/v1/things/1", "/v1/me"])
async def test_a3_a_forged_token_is_refused(suite: Suite, name: str, path: str) -> None:
    before = len(suite.peer.seen)
    token = FORGERIES[name](suite)
    answer = await suite.http.get(path, headers=[(b"Authorization", f"Bearer {token}".encode())])

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["code"] == ("token_expired" if name == "expired" else "unauthenticated")
    assert len(suite.peer.seen) == before


@pytest.mark.parametrize("header", [None, "", "Basic b3A6cA==", "Bearer", "Bearer a b"])
async def test_a_request_without_a_token_is_refused(suite: Suite, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}

    assert (await suite.http.get("/v1/things/1", headers=headers)).status_code == 401


async def test_the_same_claims_well_signed_pass(suite: Suite) -> None:
    headers = {"Authorization": f"Bearer {signed(suite)}"}

    assert (await suite.http.get("/v1/things/1", headers=headers)).status_code == 200


async def test_a_token_of_a_client_nobody_knows_is_refused(suite: Suite) -> None:
    headers = {"Authorization": f"Bearer {signed(suite, client_id='ghost', sub='ghost')}"}
    answer = await suite.http.get("/v1/things/1", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (401, "client_revoked")


async def test_an_own_operation_checks_the_scope(suite: Suite) -> None:
    answer = await suite.http.get("/v1/clients", headers=await suite.bearer("app"))

    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert answer.json()["scope"] == "clients:admin"
