"""A2: the token endpoint speaks RFC 6749."""

import base64
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gateway.tokens.domain import ASSERTION_TYPE
from tests.gateway.conftest import SECRETS, StartSuite, Suite, now

pytestmark = pytest.mark.anyio


def payload(token: str) -> dict[str, Any]:
    return orjson.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def header(token: str) -> dict[str, Any]:
    return orjson.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))


async def test_a2_a_client_gets_a_token_of_rfc_9068(suite: Suite) -> None:
    answer = await suite.ask("app", SECRETS["app"])

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    granted = answer.json()
    assert granted["token_type"] == "Bearer"
    assert granted["expires_in"] == 300
    assert granted["scope"] == "customers:read recommendations:read"
    token = granted["access_token"]
    assert (header(token)["typ"], header(token)["alg"]) == ("at+jwt", "ES256")
    claims = payload(token)
    assert claims.keys() == {"iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 300


async def test_a2_the_secret_may_come_in_the_form(suite: Suite) -> None:
    form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "app-secret"}

    assert (await suite.http.post("/oauth/token", data=form)).status_code == 200


async def test_a2_scopes_may_be_narrowed_and_not_widened(suite: Suite) -> None:
    narrowed = await suite.ask("app", SECRETS["app"], scope="customers:read")
    widened = await suite.ask("app", SECRETS["app"], scope="customers:read clients:admin")

    assert narrowed.json()["scope"] == "customers:read"
    assert (widened.status_code, widened.json()["error"]) == (400, "invalid_scope")


REFUSALS: dict[str, tuple[dict[str, str], tuple[str, str] | None, int, str]] = {
    "wrong secret": ({}, ("app", "wrong"), 401, "invalid_client"),
    "unknown client": ({}, ("nobody", "x"), 401, "invalid_client"),
    "another's secret": ({}, ("app", "crm-secret"), 401, "invalid_client"),
    "no client": ({}, None, 401, "invalid_client"),
    "empty secret": ({}, ("app", ""), 401, "invalid_client"),
    "other grant": (
        {"grant_type": "password"}, ("app", "app-secret"), 400, "unsupported_grant_type",
    ),
    "no grant": ({"grant_type": ""}, ("app", "app-secret"), 400, "invalid_request"),
    "two proofs": ({"client_secret": "x"}, ("app", "app-secret"), 400, "invalid_request"),
    "customer without the right": (
        {"customer": "c1"}, ("crm", "crm-secret"), 400, "unauthorized_client",
    ),
    "customer that is no id": ({"customer": "c 1"}, ("app", "app-secret"), 400, "invalid_request"),
    "bad assertion type": ({"client_assertion": "x"}, None, 400, "invalid_request"),
    "bad assertion": (
        {"client_assertion": "x", "client_assertion_type": ASSERTION_TYPE},
        None, 401, "invalid_client",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
async def test_a2_refusals_are_those_of_rfc_6749(suite: Suite, name: str) -> None:
    form, credentials, status, error = REFUSALS[name]
    form = {"grant_type": "client_credentials", **form}
    auth = httpx.BasicAuth(*credentials) if credentials else httpx.USE_CLIENT_DEFAULT
    answer = await suite.http.post("/oauth/token", data=form, auth=auth)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


async def test_no_form_at_all_is_refused_in_the_same_words(suite: Suite) -> None:
    answer = await suite.http.post("/oauth/token", json={"grant_type": "client_credentials"})

    assert answer.json()["error"] in {"invalid_client", "invalid_request"}


async def test_a_basic_header_that_cannot_be_read_is_refused(suite: Suite) -> None:
    for text in ("!!!", base64.b64encode(b"nocolon").decode(), base64.b64encode(b"\xff").decode()):
        answer = await suite.http.post("/oauth/token", headers={"Authorization": f"Basic {text}"})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_token_bound_to_a_customer_sees_that_customer_only(suite: Suite) -> None:
    headers = await suite.bearer("app", customer="c-1")

    me = await suite.http.get("/v1/me", headers=headers)
    own = await suite.http.get("/v1/customers/c-1/view", headers=headers)
    other = await suite.http.get("/v1/customers/c-2/view", headers=headers)

    assert me.json()["customer"] == "c-1"
    assert own.status_code == 200
    assert (other.status_code, other.json()["code"]) == (404, "not_found")


async def test_secrets_may_be_tried_only_so_often(start_suite: StartSuite) -> None:
    async with start_suite(secret_checks="2/minute") as suite:
        good = await suite.ask("app", SECRETS["app"])
        tries = [await suite.ask("app", "wrong") for _ in range(3)]
        known = await suite.ask("app", SECRETS["app"])

    assert [each.status_code for each in tries] == [401, 429, 429]
    assert tries[-1].headers["retry-after"] == "60"
    assert good.status_code == known.status_code == 200  # a checked secret needs no further try


async def test_a2_a_client_may_prove_itself_by_a_signed_assertion(suite: Suite) -> None:
    key = ECKey.generate_key("P-256")
    wanted = {
        "client_id": "signer", "label_zh": "签", "label_en": "Signer", "scopes": ["customers:read"],
        "public_key": key.as_dict(private=False),
    }  # fmt: skip
    admin = await suite.bearer("operator")
    assert (await suite.http.post("/v1/clients", json=wanted, headers=admin)).status_code == 201

    async def ask(by: ECKey = key, **changes: Any) -> tuple[int, str]:
        claims = {
            "iss": "signer", "sub": "signer", "aud": "http://127.0.0.1:8000/oauth/token",
            "exp": now() + 60, "jti": "once",
        } | changes  # fmt: skip
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": jwt.encode({"alg": "ES256"}, claims, by),
        }
        answer = await suite.http.post("/oauth/token", data=form)
        return answer.status_code, answer.json().get("error", "")

    assert await ask() == (200, "")
    assert await ask() == (401, "invalid_client")  # used before
    assert await ask(ECKey.generate_key("P-256"), jti="2") == (401, "invalid_client")
    assert await ask(aud="https://elsewhere", jti="3") == (401, "invalid_client")
    assert await ask(exp=now() - 60, jti="4") == (401, "invalid_client")
    assert await ask(exp=now() + 7200, jti="5") == (401, "invalid_client")
    assert await ask(sub="operator", jti="6") == (401, "invalid_client")


async def test_the_server_describes_itself(suite: Suite) -> None:
    described = (await suite.http.get("/.well-known/oauth-authorization-server")).json()

    assert described["token_endpoint"].endswith("/oauth/token")
    assert described["grant_types_supported"] == ["client_credentials"]
    assert {"clients:admin", "clock", "things:read"} <= set(described["scopes_supported"])
