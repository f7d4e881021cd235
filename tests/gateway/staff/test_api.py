"""Staff behind a request: the gateway says who it is, in a token nobody else could sign."""

import pytest

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio


async def put(suite: Suite, staff_id: str, **values: object) -> int:
    headers = await suite.bearer("operator")
    answer = await suite.http.put(f"/v1/staff/{staff_id}", json=values, headers=headers)
    return answer.status_code


async def acting(suite: Suite, staff_id: str, client_id: str = "crm") -> dict[str, str]:
    return await suite.bearer(client_id) | {"Bihuan-Actor": staff_id}


async def test_a_request_on_a_persons_behalf_carries_signed_claims(suite: Suite) -> None:
    assert await put(suite, "s-1", roles=["adviser"], org="hq/b1", rm="rm-1") == 200
    headers = await acting(suite, "s-1")

    me = (await suite.http.get("/v1/me", headers=headers)).json()
    await suite.http.get("/v1/things/1", headers=headers)

    assert (me["actor"], me["roles"], me["org"], me["rm"]) == ("s-1", ["adviser"], None, "rm-1")
    assert me["scopes"] == ["customers:read", "outcomes:write"]  # the client has clients:admin too
    assert suite.peer.last("bihuan-actor") == []
    (forwarded,) = suite.peer.last("authorization")
    assert forwarded != headers["Authorization"]
    own = await suite.http.get("/v1/me", headers={"Authorization": forwarded})
    assert own.json()["actor"] == "s-1"


async def test_the_replaced_token_is_made_once(suite: Suite) -> None:
    await put(suite, "s-once", roles=["adviser"], rm="rm-1")
    headers = await acting(suite, "s-once")
    for _ in range(2):
        await suite.http.get("/v1/things/1", headers=headers)
    first, second = (each["headers"] for each in suite.peer.seen[-2:])

    assert dict(first)["authorization"] == dict(second)["authorization"]


async def test_a_manager_sees_the_org_unit_and_an_auditor_the_bank(suite: Suite) -> None:
    await put(suite, "s-m", roles=["manager", "adviser"], org="hq/b1", rm="rm-1")
    await put(suite, "s-a", roles=["auditor"], org="hq/b1")
    manager = (await suite.http.get("/v1/me", headers=await acting(suite, "s-m"))).json()
    auditor = (await suite.http.get("/v1/me", headers=await acting(suite, "s-a"))).json()

    assert (manager["org"], manager["rm"]) == ("hq/b1", None)
    assert (auditor["org"], auditor["rm"]) == (None, None)


async def test_a_change_of_role_holds_from_the_next_request_on(suite: Suite) -> None:
    await put(suite, "s-2", roles=["adviser"], rm="rm-2")
    headers = await acting(suite, "s-2")
    assert (await suite.http.get("/v1/me", headers=headers)).json()["roles"] == ["adviser"]

    await put(suite, "s-2", roles=["auditor"])
    after = (await suite.http.get("/v1/me", headers=headers)).json()
    await put(suite, "s-2", roles=["auditor"], is_active=False)
    left = await suite.http.get("/v1/me", headers=headers)

    assert after["roles"] == ["auditor"]
    assert (left.status_code, left.json()["code"]) == (403, "actor_refused")


@pytest.mark.parametrize(("client_id", "staff_id"), [("crm", "ghost"), ("crm", ""), ("app", "s-1")])
async def test_nobody_unknown_and_no_client_without_the_right_acts(
    suite: Suite, client_id: str, staff_id: str
) -> None:
    answer = await suite.http.get("/v1/things/1", headers=await acting(suite, staff_id, client_id))

    assert (answer.status_code, answer.json()["code"]) == (403, "actor_refused")


async def test_a_narrow_role_needs_its_place(suite: Suite) -> None:
    assert await put(suite, "s-3", roles=["adviser"]) == 422
    assert await put(suite, "s-3", roles=["manager"], rm="rm-1") == 422
    assert await put(suite, "s-3", roles=["nothing"]) == 422
    assert await put(suite, "s-3", roles=[]) == 422


async def test_staff_and_roles_are_listed(suite: Suite) -> None:
    await put(suite, "s-4", roles=["auditor"])
    headers = await suite.bearer("operator")
    listed = (await suite.http.get("/v1/staff?limit=200", headers=headers)).json()["items"]
    one = await suite.http.get("/v1/staff/s-4", headers=headers)
    missing = await suite.http.get("/v1/staff/s-none", headers=headers)
    roles = (await suite.http.get("/v1/roles", headers=headers)).json()["items"]

    assert "s-4" in [each["staff_id"] for each in listed]
    assert one.json()["roles"] == ["auditor"]
    assert missing.status_code == 404
    assert [each["key"] for each in roles] == ["adviser", "manager", "auditor"]
