"""A3: keys rotate without downtime, also between two gateways on one database."""

import asyncio

import pytest

from gateway.settings import Settings
from shared.auth import REFETCH_SECONDS
from tests.conftest import NewDatabase
from tests.gateway.conftest import SECRETS, StartSuite, Suite, eventually

pytestmark = pytest.mark.anyio


async def kids(suite: Suite) -> set[str]:
    published = (await suite.http.get("/.well-known/jwks.json")).json()["keys"]
    return {each["kid"] for each in published}


async def test_a3_tokens_stay_valid_through_rotations(suite: Suite) -> None:
    admin = await suite.bearer("operator")
    before = await kids(suite)
    for round_ in range(3):
        answer = await suite.http.post("/v1/keys:rotate", headers=admin)
        assert answer.status_code == 200
        fresh = await suite.ask("app", SECRETS["app"])
        headers = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
        assert (await suite.http.get("/v1/me", headers=headers)).status_code == 200, round_
        assert (await suite.http.get("/v1/me", headers=admin)).status_code == 200, round_

    ring = (await suite.http.get("/v1/keys", headers=admin)).json()["items"]
    states = sorted(each["state"] for each in ring)
    assert states == ["current", "next", "retired", "retired", "retired"]
    assert before < await kids(suite) == {each["kid"] for each in ring}


async def test_a3_the_next_key_is_published_before_it_signs(start_suite: StartSuite) -> None:
    async with start_suite(key_notice="PT60S") as suite:
        answer = await suite.http.post("/v1/keys:rotate", headers=await suite.bearer("operator"))

    assert (answer.status_code, answer.json()["code"]) == (409, "next_key_too_young")


def test_a3_a_key_is_announced_for_longer_than_services_keep_from_asking_again() -> None:
    assert Settings.for_documents().key_notice.total_seconds() > REFETCH_SECONDS


async def test_two_gateways_side_by_side_agree(
    start_suite: StartSuite, new_database: NewDatabase
) -> None:
    url = new_database()
    async with start_suite(url) as one, start_suite(url) as two:
        assert await kids(one) == await kids(two)
        token = await one.bearer("crm")
        assert (await two.http.get("/v1/me", headers=token)).status_code == 200

        await one.http.post("/v1/keys:rotate", headers=await one.bearer("operator"))
        fresh = (await one.ask("app", SECRETS["app"])).json()["access_token"]
        headers = {"Authorization": f"Bearer {fresh}"}
        assert (await two.http.get("/v1/me", headers=headers)).status_code == 200

        await one.http.post("/v1/clients/crm/disable", headers=await one.bearer("operator"))

        async def is_refused() -> bool:
            return (await two.http.get("/v1/me", headers=token)).status_code == 401

        await eventually(is_refused)
        assert await kids(one) == await kids(two)


async def test_two_gateways_may_start_at_the_same_moment(
    start_suite: StartSuite, new_database: NewDatabase
) -> None:
    url = new_database()

    async def start() -> set[str]:
        async with start_suite(url) as suite:
            return await kids(suite)

    first, second = await asyncio.gather(start(), start())
    assert first == second
