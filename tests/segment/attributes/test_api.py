"""The attribute catalogue as a bank reads and extends it."""

from typing import Any

import httpx
import pytest

from tests.segment.bank import OPERATOR, Bank, changed, features

pytestmark = pytest.mark.anyio

OWN: dict[str, Any] = {"type": "int", "zh": "贵宾厅到访", "en": "Lounge visits", "unit": "times"}


async def put(bank: Bank, name: str, **changes: Any) -> httpx.Response:
    headers = {**OPERATOR, **changes.pop("headers", {"If-None-Match": "*"})}
    return await bank.http.put(f"/v1/attributes/{name}", json={**OWN, **changes}, headers=headers)


async def test_the_shipped_catalogue_is_there_page_by_page(bank: Bank) -> None:
    first = (await bank.get("/v1/attributes", params={"limit": "200"})).json()
    aum = await bank.get("/v1/attributes/aum_avg_month")

    assert len(first["items"]) > 150
    assert aum.json()["zh"] == "月日均"
    assert aum.json()["owner"] == "profile"
    assert (await bank.get("/v1/attributes/amu")).status_code == 404


async def test_a_banks_own_attribute_is_declared_and_works_in_rules(bank: Bank) -> None:
    declared = await put(bank, "lounge_visits")
    await bank.hear(changed("c1", features(lounge_visits=3)))
    preview = await bank.http.post(
        "/v1/segments:preview", json={"rule": "lounge_visits >= 3"}, headers=OPERATOR
    )

    assert (declared.status_code, declared.headers["ETag"]) == (200, '"1"')
    assert preview.json()["examples"] == ["c1"]
    event = (await bank.events("segment.attribute_changed.v1"))[-1]
    assert (event["subject"], event["data"]["deleted"]) == ("lounge_visits", False)


async def test_a_feature_of_another_kind_than_declared_counts_as_missing(bank: Bank) -> None:
    await bank.hear(changed("c1", features(aum_avg_month="much", demand_share=True)))

    levels = await bank.levels("c1")
    assert levels["tier_now"] == "long_tail"
    assert "idle_cash" not in await bank.segments("c1")


async def test_an_attribute_keeps_its_type_and_its_values(bank: Bank) -> None:
    await put(bank, "mood", type="enum", values=["good", "bad"])
    match = {"If-Match": '"1"'}
    retyped = await put(bank, "mood", headers=match)
    fewer = await put(bank, "mood", type="enum", values=["good"], headers=match)
    more = await put(bank, "mood", type="enum", values=["good", "bad", "so"], headers=match)

    assert [retyped.json()["code"], fewer.json()["code"]] == ["attribute_in_use"] * 2
    assert more.json()["values"] == ["good", "bad", "so"]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("select", {}),
        ("Lounge", {}),
        ("lounge-visits", {}),
        ("mood", {"type": "enum"}),
        ("mood", {"values": ["a"]}),
        ("mood", {"owner": "somebody"}),
        ("mood", {"colour": "red"}),
    ],
)
async def test_what_no_rule_could_use_is_refused(
    bank: Bank, name: str, changes: dict[str, Any]
) -> None:
    assert (await put(bank, name, **changes)).status_code == 422


async def test_a8_attributes_need_the_version_that_was_read(bank: Bank) -> None:
    exists = await put(bank, "aum")
    unmatched = await put(bank, "aum", headers={})
    stale = await put(bank, "aum", headers={"If-Match": '"9"'})
    held = await bank.get("/v1/attributes/aum", headers={**OPERATOR, "If-None-Match": '"1"'})

    statuses = [answer.status_code for answer in (exists, unmatched, stale, held)]
    assert statuses == [412, 428, 412, 304]
