"""Forged, expired and foreign tokens are refused, and a bound token sees one customer."""

import base64
import json
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from shared.paths import ROOT
from tests.e2e.operations import UNKNOWN, fault, new_customer
from tests.e2e.running import RunningSuite

PROTECTED = "/v1/customers/some-customer"


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def plain(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def forged(suite: RunningSuite) -> dict[str, str]:
    """Make tokens that each lie in one way."""
    true = suite.token("crm")
    claims = claims_of(true)
    key = suite.http.get("/.well-known/jwks.json").json()["keys"][0]
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]}
    thief = ECKey.generate_key("P-256", {"kid": key["kid"]})
    secret = OctKey.import_key(json.dumps(key))
    head, payload, signature = true.split(".")
    wider = plain(claims | {"scope": "clients:admin"})
    return {
        "no signature": f"{plain(header | {'alg': 'none'})}.{payload}.",
        "HMAC with the public key": jwt.encode(
            header | {"alg": "HS256"}, claims, secret, algorithms=["HS256"]
        ),
        "a key of somebody else": jwt.encode(header, claims, thief),
        "claims changed": f"{head}.{wider}.{signature}",
        "signature cut": f"{head}.{payload}.{signature[:-4]}",
        "no token at all": "rubbish",
        "an id token": true[::-1],
    }


def test_a3_a_forged_token_is_401(suite: RunningSuite) -> None:
    for name, token in forged(suite).items():
        answer = suite.http.get(PROTECTED, headers={"Authorization": f"Bearer {token}"})
        assert fault(answer, 401, code="unauthenticated") is None, name


@pytest.mark.parametrize("header", ["Basic Y3JtOnNlY3JldA==", "Bearer", "crm"])
def test_a3_another_kind_of_credentials_is_401(suite: RunningSuite, header: str) -> None:
    answer = suite.http.get(PROTECTED, headers={"Authorization": header})

    assert fault(answer, 401, code="unauthenticated") is None


def test_a2_the_token_endpoint_refuses_as_rfc_6749_says(suite: RunningSuite) -> None:
    secret = (suite.data / "secrets" / "crm").read_text().strip()
    good = {"grant_type": "client_credentials"}
    cases: list[tuple[dict[str, str], tuple[str, str], int, str]] = [
        (good, ("crm", "wrong"), 401, "invalid_client"),
        (good, ("nobody", secret), 401, "invalid_client"),
        ({}, ("crm", secret), 400, "invalid_request"),
        ({"grant_type": "password"}, ("crm", secret), 400, "unsupported_grant_type"),
        (good | {"scope": "clients:admin"}, ("crm", secret), 400, "invalid_scope"),
        (good | {"customer": "c-1"}, ("crm", secret), 400, "unauthorized_client"),
    ]
    for form, credentials, status, error in cases:
        answer = suite.http.post("/oauth/token", data=form, auth=credentials)
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
        assert answer.headers["cache-control"] == "no-store"


def test_a_token_bound_to_one_customer_sees_no_other(suite: RunningSuite) -> None:
    new_customer(suite, "bad-bound-1")
    new_customer(suite, "bad-bound-2")
    headers = {"Authorization": f"Bearer {suite.token('app', customer='bad-bound-1')}"}

    mine = suite.http.get("/v1/customers/bad-bound-1", headers=headers)
    other = suite.http.get("/v1/customers/bad-bound-2", headers=headers)
    nobody = suite.http.get(f"/v1/customers/{UNKNOWN}", headers=headers)

    assert mine.status_code == 200
    assert fault(other, 404) is None
    assert fault(nobody, 404) is None


@contextmanager
def gateway_of_short_tokens(suite: RunningSuite) -> Generator[str]:
    """A second gateway beside the first, whose tokens last a second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {
        "BIHUAN_GATEWAY_PORT": str(port),
        "BIHUAN_GATEWAY_TOKEN_LIFETIME": "PT1S",
        "BIHUAN_TOKEN_ISSUER": suite.url,
        "BIHUAN_GATEWAY_SECRETS_DIR": str(suite.data / "secrets"),
        "BIHUAN_GATEWAY_DATABASE_URL_FILE": str(suite.data / "keys" / "gateway_database_url"),
        "BIHUAN_GATEWAY_KEY_ENCRYPTION_KEY_FILE": str(suite.data / "keys" / "key_encryption_key"),
    }
    environment = psutil.Process(suite.process.pid).environ() | told
    program = [sys.executable, "-m", "gateway.main"]
    with subprocess.Popen(program, env=environment, cwd=ROOT) as second:
        try:
            url = f"http://127.0.0.1:{port}"
            suite.eventually(lambda: is_ready(url), seconds=90, what="no second gateway")
            yield url
        finally:
            second.terminate()


def is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/ready").is_success
    except httpx.TransportError:
        return False


def test_a3_an_expired_token_is_401_and_says_so(suite: RunningSuite) -> None:
    secret = (suite.data / "secrets" / "crm").read_text().strip()
    with gateway_of_short_tokens(suite) as url:
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(f"{url}/oauth/token", data=form, auth=("crm", secret))
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        fresh = suite.http.get("/v1/products", headers=headers)

    def expired() -> bool:
        return suite.http.get("/v1/products", headers=headers).status_code == 401

    assert fresh.status_code == 200
    suite.eventually(expired, seconds=15)
    stale = suite.http.get("/v1/products", headers=headers)
    assert fault(stale, 401, code="token_expired") is None, stale.text
