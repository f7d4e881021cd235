"""Scores as a bank puts them together, and as customers have them."""

from typing import Any

import httpx
import pytest

from services.segment import seeding
from services.segment.scoring.domain.runs import RunKind
from shared.paths import CATALOGUE
from tests.segment.bank import NOW, OPERATOR, Bank, changed, crowd, days, features

pytestmark = pytest.mark.anyio


async def put(bank: Bank, path: str, **changes: Any) -> httpx.Response:
    read = await bank.get(path)
    body = {k: v for k, v in read.json().items() if k not in {"key", "version"}} | changes
    headers = {**OPERATOR, "If-Match": read.headers["ETag"]}
    return await bank.http.put(path, json=body, headers=headers)


async def test_a_score_put_together_differently_counts_at_once_and_for_all_by_the_run(
    bank: Bank,
) -> None:
    await bank.hear(*crowd(3))
    await bank.settle()
    before = await bank.levels("c0001")
    parts = (await bank.get("/v1/scores/loyalty")).json()["retail"]
    parts[0] |= {"full": 800, "weight": 40}
    parts[1]["weight"] = 15
    answer = await put(bank, "/v1/scores/loyalty", retail=parts)
    await bank.hear(changed("c0000", features(age=41), at=NOW + days(0.1), version=2))
    at_once = await bank.levels("c0000")
    await bank.settle()

    assert (answer.status_code, answer.headers["ETag"]) == (200, '"2"')
    assert before["loyalty"] == 35  # 30 x 800/1825 + 25 x 8/9
    assert (at_once["loyalty"], (await bank.levels("c0001"))["loyalty"]) == (62, 62)


async def test_a8_a_score_needs_the_version_that_was_read(bank: Bank) -> None:
    read = await bank.get("/v1/scores/deal_ease")
    body = {k: v for k, v in read.json().items() if k not in {"key", "version"}}
    tag = read.headers["ETag"]

    async def asked(headers: dict[str, str]) -> int:
        path = "/v1/scores/deal_ease"
        return (await bank.http.put(path, json=body, headers={**OPERATOR, **headers})).status_code

    assert [await asked({}), await asked({"If-Match": '"9"'})] == [428, 412]
    held = await bank.get("/v1/scores/deal_ease", headers={**OPERATOR, "If-None-Match": tag})
    assert held.status_code == 304
    keys = [score["key"] for score in (await bank.get("/v1/scores")).json()["items"]]
    assert keys == ["contribution", "deal_ease", "loyalty", "satisfaction", "stickiness"]
    assert (await bank.get("/v1/scores/none")).status_code == 404


async def test_a_wrong_score_is_refused_with_its_place_and_changes_nothing(bank: Bank) -> None:
    parts = (await bank.get("/v1/scores/loyalty")).json()["retail"]
    wrong = [*parts[:3], {**parts[3], "value": "aum_avg_month / aum_peek_24m"}]
    refused = await put(bank, "/v1/scores/loyalty", retail=wrong)
    heavy = await put(bank, "/v1/scores/loyalty", retail=[{**parts[0], "weight": 90}])

    [fault] = refused.json()["errors"]
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_rule")
    assert fault["pointer"] == "/retail/3/value"
    assert "at 16" in fault["detail"]
    assert "aum_peak_24m" in fault["detail"]
    assert (heavy.status_code, heavy.json()["errors"][0]["pointer"]) == (422, "/retail")
    assert (await bank.get("/v1/scores/loyalty")).json()["version"] == 1


async def test_p5_a_score_over_a_sensitive_attribute_needs_its_flag(bank: Bank) -> None:
    refused = await put(bank, "/v1/scores/stickiness", separate_consent=False)

    assert (refused.status_code, refused.json()["code"]) == (403, "separate_consent_required")


async def test_scores_and_scales_that_read_each_other_in_a_circle_are_refused(bank: Bank) -> None:
    part = {"key": "a", "zh": "一", "en": "A", "weight": 100, "rule": "deal_priority = 'batch'"}
    by_score = await put(bank, "/v1/scores/deal_ease", retail=[part])
    own = await put(bank, "/v1/scores/loyalty", retail=[{**part, "rule": "loyalty > 1"}])
    level = {"key": "private", "zh": "一", "en": "A", "rule": "loyalty > 50"}
    fine = await put(bank, "/v1/scales/education", retail=[level])
    by_scale = await put(
        bank, "/v1/scores/loyalty", retail=[{**part, "rule": "education = 'private'"}]
    )

    assert [answer.status_code for answer in (by_score, own, fine, by_scale)] == [
        422,
        422,
        200,
        422,
    ]
    assert by_score.json()["code"] == "circular_rules"
    pointers = {error["pointer"] for error in by_score.json()["errors"]}
    assert {"/deal_ease", "/deal_priority"} <= pointers
    assert "/education" in {error["pointer"] for error in by_scale.json()["errors"]}


async def test_l1_a_run_makes_cuts_that_single_customers_are_placed_by_from_then_on(
    bank: Bank,
) -> None:
    nets = [-5.0, 0.0, 0.0, 0.0, 120.5, 700.0, None]
    rows = [features(net_contribution_12m=net) for net in nets]
    await bank.hear(*crowd(70, rows))
    early = await bank.levels("c0001")
    await bank.score(RunKind.NIGHTLY)
    placed = [await bank.levels(f"c{place:04}") for place in range(7)]
    told = len(await bank.events("segment.memberships_changed.v1"))
    await bank.hear(*crowd(70, rows, at=NOW + days(0.1)))
    await bank.hear(changed("new", features(net_contribution_12m=60.0)))
    await bank.score(RunKind.FULL)

    shares = [levels["contribution_percentile"] for levels in placed]
    assert early["contribution_percentile"] is None  # nothing was cut yet
    assert shares == [0.08, 0.42, 0.42, 0.42, 0.75, 0.92, None]
    assert [levels["contribution"] for levels in placed] == [8, 42, 42, 42, 75, 92, None]
    assert len(await bank.events("segment.memberships_changed.v1")) == told + 1
    assert (await bank.levels("new"))["contribution_percentile"] == 0.66  # (40 + ½) of 61


async def test_rules_may_ask_for_scores_and_percentiles(bank: Bank) -> None:
    await bank.hear(changed("c1", features(nps_last=1)), changed("c2", features(nps_last=9)))
    await bank.settle()
    preview = await bank.http.post(
        "/v1/segments:preview",
        json={"rule": "satisfaction < 40 AND contribution_percentile IS NULL"},
        headers=OPERATOR,
    )
    assert (preview.status_code, preview.json()["examples"]) == (200, ["c1"])


async def test_a_bank_from_before_there_were_scores_gets_them_and_keeps_its_own_cuts(
    bank: Bank,
) -> None:
    tier = (await bank.get("/v1/scales/tier")).json()["retail"]
    tier[1]["rule"] = "aum_avg_month >= 80000"
    await put(bank, "/v1/scales/tier", retail=tier)
    async with bank.database.connection() as connection:
        await connection.execute("DELETE FROM score; DELETE FROM scale WHERE key = 'value_type'")
        await connection.execute("DELETE FROM attribute WHERE name = 'value_type'")
        await connection.execute("UPDATE attribute SET reads = '{}'")
    await seeding.seed(bank.database, CATALOGUE, now=NOW)
    await bank.hear(changed("c1", features(net_contribution_12m=-1.0)))
    levels = await bank.levels("c1")

    assert (levels["tier_now"], levels["value_type"], levels["loyalty"]) == (
        "wealth",
        "liability",
        35,
    )
    part = {"key": "a", "zh": "一", "en": "A", "weight": 100, "rule": "deal_priority = 'batch'"}
    assert (await put(bank, "/v1/scores/deal_ease", retail=[part])).status_code == 422
