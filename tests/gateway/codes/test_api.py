"""Codes with their labels."""

import pytest

from tests.gateway.conftest import Suite

pytestmark = pytest.mark.anyio


async def test_codes_come_with_both_labels_and_by_kind(suite: Suite) -> None:
    headers = await suite.bearer("crm")
    every = (await suite.http.get("/v1/codes", headers=headers)).json()["items"]
    some = (await suite.http.get("/v1/codes?kind=refusal", headers=headers)).json()["items"]

    assert [each["code"] for each in every] == ["app", "sms", "cap_reached"]
    assert some == [
        {
            "kind": "refusal",
            "code": "cap_reached",
            "label_zh": "触达上限",
            "label_en": "Cap reached",
        }
    ]
