"""Clients: registered, rotated, disabled, limited."""

from typing import Any

import pytest

from tests.gateway.conftest import StartSuite, Suite

pytestmark = pytest.mark.anyio


async def register(suite: Suite, client_id: str, **values: Any) -> str:
    """Register a client and return its secret."""
    wanted = {
        "client_id": client_id, "label_zh": "测", "label_en": "Test",
        "scopes": ["things:read"], **values,
    }  # fmt: skip
    headers = await suite.bearer("operator")
    answer = await suite.http.post("/v1/clients", json=wanted, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()["client_secret"]


async def token_of(suite: Suite, client_id: str, secret: str) -> dict[str, str]:
    answer = await suite.ask(client_id, secret)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_registered_client_may_call_at_once(suite: Suite) -> None:
    secret = await register(suite, "fresh")
    headers = await token_of(suite, "fresh", secret)

    assert (await suite.http.get("/v1/things/1", headers=headers)).status_code == 200
    assert (await suite.http.get("/v1/me", headers=headers)).json()["client_id"] == "fresh"


async def test_a_client_id_is_given_once(suite: Suite) -> None:
    await register(suite, "twin")
    wanted = {"client_id": "twin", "label_zh": "x", "label_en": "x", "scopes": []}
    headers = await suite.bearer("operator")
    again = await suite.http.post("/v1/clients", json=wanted, headers=headers)

    assert (again.status_code, again.json()["code"]) == (409, "client_exists")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("client_id", "has space"), ("scopes", ["ROOT"]), ("rate_limit", "many"),
        ("public_key", {"kty": "oct"}), ("surprise", 1), ("label_zh", ""),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named(suite: Suite, field: str, value: object) -> None:
    wanted = {"client_id": "x", "label_zh": "x", "label_en": "x", "scopes": [], field: value}
    headers = await suite.bearer("operator")
    answer = await suite.http.post("/v1/clients", json=wanted, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")


@pytest.mark.parametrize(("overlap", "of_the_old"), [("PT1H", 200), ("PT0S", 401)])
async def test_a_secret_rotates_and_the_old_one_ends_with_the_overlap(
    start_suite: StartSuite, overlap: str, of_the_old: int
) -> None:
    async with start_suite(secret_overlap=overlap) as suite:
        old = await register(suite, "rotating")
        assert (await suite.ask("rotating", old)).status_code == 200  # checked, and remembered
        headers = await suite.bearer("operator")
        answer = await suite.http.post("/v1/clients/rotating/rotate-secret", headers=headers)
        new = answer.json()["client_secret"]
        after = [await suite.ask("rotating", each) for each in (old, new)]

    assert [each.status_code for each in after] == [of_the_old, 200]


async def test_a_disabled_client_is_refused_at_once_and_may_come_back(suite: Suite) -> None:
    secret = await register(suite, "leaving")
    headers = await token_of(suite, "leaving", secret)
    admin = await suite.bearer("operator")
    assert (await suite.http.get("/v1/things/1", headers=headers)).status_code == 200

    disabled = await suite.http.post("/v1/clients/leaving/disable", headers=admin)
    refused = await suite.http.get("/v1/things/1", headers=headers)
    no_token = await suite.ask("leaving", secret)
    await suite.http.post("/v1/clients/leaving/enable", headers=admin)
    back = await suite.http.get("/v1/things/1", headers=headers)

    assert disabled.json()["disabled_at"]
    assert (refused.status_code, refused.json()["code"]) == (401, "client_revoked")
    assert (no_token.status_code, no_token.json()["error"]) == (401, "invalid_client")
    assert back.status_code == 200


async def test_clients_are_listed_without_secrets_page_by_page(suite: Suite) -> None:
    headers = await suite.bearer("operator")
    first = (await suite.http.get("/v1/clients?limit=2", headers=headers)).json()
    rest = (
        await suite.http.get(f"/v1/clients?limit=200&after={first['next']}", headers=headers)
    ).json()
    found = [each["client_id"] for each in first["items"] + rest["items"]]

    assert found == sorted(found)
    assert {"operator", "crm", "app", "hasty"} <= set(found)
    assert not any("secret" in field for each in first["items"] for field in each)


async def test_an_unknown_client_is_not_found(suite: Suite) -> None:
    headers = await suite.bearer("operator")
    for method, path in (("GET", ""), ("POST", "/rotate-secret"), ("POST", "/disable")):
        answer = await suite.http.request(method, f"/v1/clients/ghost{path}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_client")


async def test_a9_a_client_over_its_rate_learns_which_limit_and_when(suite: Suite) -> None:
    headers = await suite.bearer("hasty")
    answers = [await suite.http.get("/v1/things/1", headers=headers) for _ in range(5)]
    others = await suite.http.get("/v1/things/1", headers=await suite.bearer("operator"))

    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["code"] == "rate_limited"
    assert refused.json()["limit"] == "3/minute"
    assert others.status_code == 200


async def test_shipped_clients_follow_the_catalogue_and_keep_their_secrets(
    start_suite: StartSuite, new_database: Any
) -> None:
    url = new_database()
    async with start_suite(url) as suite:
        before = suite.door.own.state.directory.known.clients["app"]
    async with start_suite(url) as suite:
        after = suite.door.own.state.directory.known.clients["app"]
        assert (await suite.ask("app", "app-secret")).status_code == 200

    assert after.is_shipped
    assert after.secrets == before.secrets  # not hashed anew at every start
