"""Scales and RFM as a bank cuts them."""

from typing import Any

import pytest

from tests.segment.bank import OPERATOR, Bank, changed, features

pytestmark = pytest.mark.anyio


async def recut(bank: Bank, key: str, **changes: Any) -> Any:
    read = await bank.get(f"/v1/scales/{key}")
    body = {**read.json(), **changes}
    for name in ("key", "version"):
        body.pop(name)
    headers = {**OPERATOR, "If-Match": read.headers["ETag"]}
    return await bank.http.put(f"/v1/scales/{key}", json=body, headers=headers)


async def test_the_shipped_scales_are_there_with_their_levels(bank: Bank) -> None:
    scales = (await bank.get("/v1/scales")).json()["items"]
    tier = (await bank.get("/v1/scales/tier")).json()

    assert {"tier", "lifecycle", "wealth_micro_segment"} <= {scale["key"] for scale in scales}
    assert [level["key"] for level in tier["retail"]] == [
        "private",
        "wealth",
        "mass_affluent",
        "long_tail",
    ]
    assert (tier["down_after_month_ends"], tier["corporate"]) == (3, None)


async def test_a_scale_cut_differently_places_everyone_again(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    await bank.settle()
    tier = (await bank.get("/v1/scales/tier")).json()
    tier["retail"][1]["rule"] = "aum_avg_month >= 80000"
    answer = await recut(bank, "tier", retail=tier["retail"])
    await bank.settle()

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert (await bank.levels("c1"))["tier_now"] == "wealth"


async def test_a_new_level_becomes_a_value_that_rules_may_name(bank: Bank) -> None:
    tier = (await bank.get("/v1/scales/tier")).json()
    ultra = {"key": "ultra", "zh": "超高", "en": "Ultra", "rule": "aum_avg_month >= 50000000"}
    await recut(bank, "tier", retail=[ultra, *tier["retail"]])
    preview = await bank.http.post(
        "/v1/segments:preview", json={"rule": "tier_now = 'ultra'"}, headers=OPERATOR
    )

    assert preview.status_code == 200


async def test_scales_that_read_each_other_in_a_circle_are_refused(bank: Bank) -> None:
    levels = [
        {"key": "churn", "zh": "x", "en": "x", "rule": "relationship_stage = 'lost'"},
        {"key": "activation", "zh": "x", "en": "x", "rule": None},
    ]
    answer = await recut(bank, "lifecycle", retail=levels)

    assert (answer.status_code, answer.json()["code"]) == (422, "circular_rules")
    pointers = {entry["pointer"] for entry in answer.json()["errors"]}
    assert {"/lifecycle", "/relationship_stage"} <= pointers


async def test_a_wrong_level_is_refused_with_its_place(bank: Bank) -> None:
    levels = [{"key": "a", "zh": "x", "en": "x", "rule": "auum > 1"}]
    answer = await recut(bank, "education", retail=levels)

    assert answer.json()["errors"][0]["pointer"] == "/retail/0/rule"
    assert (await bank.get("/v1/scales/education")).json()["version"] == 1


async def test_a8_scales_and_rfm_need_the_version_that_was_read(bank: Bank) -> None:
    rfm = await bank.get("/v1/rfm")
    body = {name: value for name, value in rfm.json().items() if name != "version"}
    missing = await bank.http.put("/v1/rfm", json=body, headers=OPERATOR)
    held = await bank.get("/v1/rfm", headers={**OPERATOR, "If-None-Match": rfm.headers["ETag"]})
    scale = await bank.http.put("/v1/scales/tier", json={}, headers=OPERATOR)

    assert [missing.status_code, held.status_code, scale.status_code] == [428, 304, 428]


async def test_rfm_cut_differently_scores_everyone_again(bank: Bank) -> None:
    await bank.hear(changed("c1", features()))
    await bank.settle()
    rfm = await bank.get("/v1/rfm")
    body = {name: value for name, value in rfm.json().items() if name != "version"}
    body["fixed"]["m"]["cuts"] = [80_000, 70_000, 60_000, 50_000]
    headers = {**OPERATOR, "If-Match": rfm.headers["ETag"]}
    answer = await bank.http.put("/v1/rfm", json=body, headers=headers)
    await bank.settle()

    assert answer.status_code == 200
    assert (await bank.levels("c1"))["rfm_m"] == 5
    assert len(rfm.json()["segments"]) == 8


@pytest.mark.parametrize(
    "cuts", [[1e300, 1e200, 1e100, 1], [1, 2, 3, 4], [4, 3, 3, 1], [1, 2], ["a", 3, 2, 1]]
)
async def test_absurd_cuts_are_refused(bank: Bank, cuts: list[Any]) -> None:
    rfm = await bank.get("/v1/rfm")
    body = {name: value for name, value in rfm.json().items() if name != "version"}
    body["fixed"]["m"]["cuts"] = cuts
    headers = {**OPERATOR, "If-Match": rfm.headers["ETag"]}

    assert (await bank.http.put("/v1/rfm", json=body, headers=headers)).status_code == 422
