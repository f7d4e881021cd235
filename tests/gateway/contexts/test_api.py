"""The context card over HTTP, with strategy down."""

import pytest

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio

PATH = "/v1/customers:context"


async def test_a_card_says_who_it_is_what_is_missing_and_that_nothing_is_sold(
    suite: Suite,
) -> None:
    headers = await suite.bearer("crm")

    answer = await suite.http.post(PATH, json={"customer_id": "c-1"}, headers=headers)

    card = answer.json()
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (card["customer_id"], card["who"]["name"], card["mood"]["key"]) == (
        "c-1",
        "c-1",
        "upset",
    )
    assert card["do_not_sell"]
    assert [each["key"] for each in card["reasons"]] == ["complaint_open", "strategy_unknown"]
    assert [each["part"] for each in card["missing"]] == ["restraints"]
    assert {each["key"]: each["is_allowed"] for each in card["topics"]} == {
        "service": True,
        "survey": False,
        "fund": False,
    }


async def test_a_card_is_for_staff_and_about_one(suite: Suite) -> None:
    staff = await suite.bearer("crm")
    own = await suite.bearer("app", customer="c-1")

    two = {"customer_id": "c-1", "phone": "13800138000"}
    for headers, body, status in (
        (own, {"customer_id": "c-1"}, 403),
        (staff, {}, 422),
        (staff, two, 422),
        (staff, {"customer_id": "nobody"}, 404),
    ):
        answer = await suite.http.post(PATH, json=body, headers=headers)
        assert answer.status_code == status, body
        assert "13800138000" not in answer.text
