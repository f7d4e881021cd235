"""The 360° view: whole where it can be, and honest about what is missing."""

import time

import pytest

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio


async def test_each_service_is_asked_once_with_the_callers_own_token(suite: Suite) -> None:
    headers = await suite.bearer("crm")
    asked = len(suite.peer.seen)
    started = time.monotonic()
    answer = await suite.http.get("/v1/customers/c-1/view", headers=headers)

    assert answer.status_code == 200
    assert time.monotonic() - started < 3.5  # one service hangs; each has its own deadline
    assert len(suite.peer.seen) - asked == 3  # the fourth is down
    assert answer.headers["cache-control"] == "no-store"
    view = answer.json()
    assert (view["customer_id"], view["reader"]) == ("c-1", "rm")
    assert view["customer"] == {
        "part": "customer",
        "party_type": "person",
        "name": "c-1",
        "token": headers["Authorization"][-8:],
    }
    assert view["holdings"]["part"] == "holdings"
    assert view["freshness"]["holdings"]["as_of"] == "2026-03-02T02:00:00Z"


async def test_a_missing_part_is_null_and_named_with_its_reason(suite: Suite) -> None:
    view = (
        await suite.http.get("/v1/customers/c-1/view", headers=await suite.bearer("crm"))
    ).json()
    missing = {each["part"]: each["code"] for each in view["missing"]}

    assert missing == {
        "contacts": "service_unavailable",
        "outcomes": "insufficient_scope",
    }
    assert all(view[part] is None for part in missing)
    assert not missing.keys() & view["freshness"].keys()
    assert view["levels"]["part"] == "levels"  # segment timed out: profile was told them once
    assert view["freshness"]["levels"]["stands_in"] == "profile"


async def test_an_unknown_customer_is_not_found(suite: Suite) -> None:
    answer = await suite.http.get("/v1/customers/nobody/view", headers=await suite.bearer("crm"))

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_customer")


async def test_a_customer_sees_the_customers_own_view_and_no_other(suite: Suite) -> None:
    headers = await suite.bearer("app", customer="c-1")

    own = (await suite.http.get("/v1/customers/c-1/view", headers=headers)).json()
    named = await suite.http.get("/v1/customers/c-1/view?for=app", headers=headers)
    staffs = await suite.http.get("/v1/customers/c-1/view?for=rm", headers=headers)
    unknown = await suite.http.get("/v1/customers/c-1/view?for=owl", headers=headers)

    assert own["customer"] == {"name": "c-1"}
    assert own["needs"] == {"items": [{"code": "b"}]}
    assert named.json()["reader"] == own["reader"] == "app"
    assert (staffs.status_code, staffs.json()["code"]) == (403, "view_not_for_customers")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_reader")
