"""The 360° view: whole where it can be, and honest about what is missing."""

import time

import pytest

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio


async def test_parts_come_in_parallel_with_the_callers_own_token(suite: Suite) -> None:
    headers = await suite.bearer("crm")
    started = time.monotonic()
    answer = await suite.http.get("/v1/customers/c-1/view", headers=headers)

    assert answer.status_code == 200
    assert time.monotonic() - started < 3.5  # one part hangs; each has its own deadline
    view = answer.json()
    assert view["customer_id"] == "c-1"
    assert view["customer"] == {"part": "c-1", "token": headers["Authorization"][-8:]}
    assert view["holdings"]["part"] == "holdings"


async def test_a_missing_part_is_null_and_named(suite: Suite) -> None:
    view = (
        await suite.http.get("/v1/customers/c-1/view", headers=await suite.bearer("crm"))
    ).json()
    missing = {each["part"]: each["code"] for each in view["missing"]}

    assert missing["levels"] == "timed_out"
    assert missing["outcomes"] == "insufficient_scope"
    assert missing["timeline"] == "unknown_path"
    assert all(view[part] is None for part in missing)
    assert not {"customer", "accounts", "holdings", "consents"} & missing.keys()


async def test_an_unknown_customer_is_not_found(suite: Suite) -> None:
    answer = await suite.http.get("/v1/customers/nobody/view", headers=await suite.bearer("crm"))

    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_customer")
