"""Segments from draft to members."""

from typing import Any

import httpx
import pytest

from tests.kit import bearer
from tests.segment.bank import APPROVER, NOW, OPERATOR, SCOPES, Bank, changed, crowd, days, features

pytestmark = pytest.mark.anyio

DRAFT = {"key": "young_wealth", "zh": "年轻财富", "en": "Young wealth",
         "rule": "age < 35 AND aum_avg_month >= 500000 -- aim high"}  # fmt: skip
YOUNG = features(age=30, aum_avg_month=600_000.0)


async def draft(bank: Bank, **changes: Any) -> httpx.Response:
    return await bank.http.post("/v1/segments", json={**DRAFT, **changes}, headers=OPERATOR)


async def publish(bank: Bank, key: str, etag: str, **options: Any) -> httpx.Response:
    headers = {**APPROVER, "If-Match": etag, **options}
    return await bank.http.post(f"/v1/segments/{key}/publish", headers=headers)


async def test_a_draft_is_written_read_and_not_in_use(bank: Bank) -> None:
    created = await draft(bank)
    read = await bank.get("/v1/segments/young_wealth")

    assert created.status_code == 201
    assert created.headers["ETag"] == read.headers["ETag"] == '"1"'
    assert read.json()["state"] == "draft"
    assert read.json()["canonical"] == "age < 35 AND aum_avg_month >= 500000"
    assert (await draft(bank)).json()["code"] == "segment_exists"


async def test_a_wrong_rule_is_refused_with_place_and_suggestion(bank: Bank) -> None:
    refused = await draft(bank, rule="aeg < 35 AND tier = 'welth'")

    problem = refused.json()
    assert refused.status_code == 422
    assert problem["code"] == "invalid_rule"
    assert [entry["pointer"] for entry in problem["errors"]] == ["/rule", "/rule"]
    assert [entry["suggestion"] for entry in problem["faults"]] == ["age", "wealth"]


async def test_b13_the_author_may_not_approve(bank: Bank) -> None:
    await draft(bank)
    own = await publish(bank, "young_wealth", '"1"', **OPERATOR)
    other = await publish(bank, "young_wealth", '"1"')

    assert (own.status_code, own.json()["code"]) == (403, "author_may_not_approve")
    assert other.status_code == 200
    assert other.json()["approver"] == "li"
    assert (await publish(bank, "young_wealth", '"1"')).json()["code"] == "already_published"


async def test_a8_changes_need_the_version_that_was_read(bank: Bank) -> None:
    await draft(bank)
    body = {name: DRAFT[name] for name in ("zh", "en", "rule")}
    path = "/v1/segments/young_wealth"
    missing = await bank.http.put(path, json=body, headers=OPERATOR)
    stale = await bank.http.put(path, json=body, headers={**OPERATOR, "If-Match": '"7"'})
    good = await bank.http.put(path, json=body, headers={**OPERATOR, "If-Match": '"1"'})
    held = await bank.get(path, headers={**OPERATOR, "If-None-Match": '"2"'})

    assert [answer.status_code for answer in (missing, stale, good, held)] == [428, 412, 200, 304]
    assert good.headers["ETag"] == '"2"'


async def test_the_published_rule_stays_in_use_until_the_new_text_is_published(bank: Bank) -> None:
    await bank.hear(changed("c1", YOUNG))
    await draft(bank)
    await publish(bank, "young_wealth", '"1"')
    await bank.settle()
    body = {"zh": "x", "en": "x", "rule": "age > 90"}
    await bank.http.put(
        "/v1/segments/young_wealth", json=body, headers={**OPERATOR, "If-Match": '"1"'}
    )
    await bank.score()
    while_written = await bank.segments("c1")
    await publish(bank, "young_wealth", '"2"')
    await bank.settle()

    assert "young_wealth" in while_written
    assert "young_wealth" not in await bank.segments("c1")


async def test_publishing_and_deleting_bring_their_own_run(bank: Bank) -> None:
    await bank.hear(changed("c1", YOUNG))
    await draft(bank)
    await publish(bank, "young_wealth", '"1"')
    await bank.settle()
    inside = await bank.segments("c1")
    gone = await bank.http.delete(
        "/v1/segments/young_wealth", headers={**OPERATOR, "If-Match": "*"}
    )
    await bank.settle()

    assert "young_wealth" in inside
    assert gone.status_code == 204
    assert "young_wealth" not in await bank.segments("c1")


async def test_l6_the_rule_in_use_is_told_when_it_changes_and_only_then(bank: Bank) -> None:
    async def told() -> list[str | None]:
        events = await bank.events("segment.segment_changed.v1")
        return [e["data"]["rule"] for e in events if e["subject"] == "young_wealth"]

    await draft(bank)
    while_drafted = await told()
    await publish(bank, "young_wealth", '"1"')
    published = await told()
    await bank.http.delete("/v1/segments/young_wealth", headers={**OPERATOR, "If-Match": "*"})

    rule = "age < 35 AND aum_avg_month >= 500000"
    assert (while_drafted, published, await told()) == ([], [rule], [rule, None])


async def test_p5_a_sensitive_attribute_needs_its_flag(bank: Bank) -> None:
    rule = "minor_children >= 1"
    await draft(bank, key="families", rule=rule)
    await draft(bank, key="families_asked", rule=rule, separate_consent=True)
    refused = await publish(bank, "families", '"1"')
    allowed = await publish(bank, "families_asked", '"1"')

    assert (refused.status_code, refused.json()["code"]) == (403, "separate_consent_required")
    assert allowed.status_code == 200


async def test_a_preview_counts_and_shows_examples(bank: Bank) -> None:
    await bank.hear(*crowd(30, [YOUNG, features(), features(age=None)]))
    answer = await bank.http.post(
        "/v1/segments:preview", json={"rule": "age != 40 OR tier_now = 'wealth'"}, headers=OPERATOR
    )
    preview = answer.json()

    assert (preview["customers"], preview["members"]) == (30, 10)  # a missing age is not "not 40"
    assert preview["examples"][:2] == ["c0000", "c0003"]
    assert preview["reads"] == ["age", "tier_now"]
    await draft(bank)
    drafted = await bank.http.post("/v1/segments/young_wealth/preview", headers=OPERATOR)
    assert drafted.json()["share"] == pytest.approx(1 / 3)


async def test_members_are_those_of_the_moment_asked_for(bank: Bank) -> None:
    await bank.hear(changed("c1", features(), at=NOW - days(10)))
    await bank.hear(changed("c1", features(demand_share=0.1), at=NOW - days(5), version=2))
    await bank.hear(changed("c2", features(), at=NOW - days(3)))

    async def members(**params: str) -> list[str]:
        answer = await bank.get("/v1/segments/idle_cash/members", params=params)
        return [member["customer_id"] for member in answer.json()["items"]]

    assert await members() == ["c2"]
    assert await members(as_of=(NOW - days(7)).isoformat()) == ["c1"]
    assert await members(as_of=(NOW - days(4)).isoformat()) == []
    assert await members(as_of=(NOW - days(11)).isoformat()) == []


async def test_a10_members_come_page_by_page(bank: Bank) -> None:
    await bank.hear(*crowd(25))
    seen: list[str] = []
    after: str | None = None
    while True:
        params = {"limit": "10"} | ({"after": after} if after else {})
        page = (await bank.get("/v1/segments/idle_cash/members", params=params)).json()
        seen += [member["customer_id"] for member in page["items"]]
        after = page["next"]
        if after is None:
            break

    assert seen == [f"c{number:04}" for number in range(25)]
    assert (await bank.get("/v1/segments", params={"page": "2"})).status_code == 400
    assert (await bank.get("/v1/segments/no_such/members")).status_code == 404
    naive = await bank.get("/v1/segments/idle_cash/members", params={"as_of": "2026-01-01T00:00"})
    assert naive.status_code == 422


async def test_callers_see_only_their_part_of_the_bank(bank: Bank) -> None:
    await bank.hear(*crowd(3))
    async with bank.database.transaction() as connection:
        await connection.execute(
            "UPDATE customer SET org_path = 'bank/east', rm_id = 'rm1' WHERE customer_id = 'c0001';"
            "UPDATE customer SET org_path = 'bank/eastern' WHERE customer_id = 'c0002'"
        )

    async def seen(**claims: str) -> list[str]:
        headers = bearer(*SCOPES, **claims)
        answer = await bank.get("/v1/segments/idle_cash/members", headers=headers)
        return [member["customer_id"] for member in answer.json()["items"]]

    async def among(**claims: str) -> list[str]:
        answer = await bank.http.post(
            "/v1/segments/idle_cash/members:among",
            json={"customer_ids": ["c0002", "c0001", "nobody"]},
            headers=bearer(*SCOPES, **claims),
        )
        return answer.json()["customer_ids"]

    async def seen_of(**parameters: str) -> list[str]:
        answer = await bank.get("/v1/segments/idle_cash/members", params=parameters)
        return [member["customer_id"] for member in answer.json()["items"]]

    assert await seen_of(org_path="bank/east") == await seen_of(rm_id="rm1") == ["c0001"]
    assert (await among(), await among(rm="rm1")) == (["c0001", "c0002"], ["c0001"])
    assert await seen(org="bank/east") == ["c0001"]
    assert await seen(org="bank") == ["c0001", "c0002"]
    assert await seen(rm="rm1") == ["c0001"]
    assert await seen(customer="c0000") == ["c0000"]
    preview = await bank.http.post(
        "/v1/segments:preview", json={"rule": "age > 1"}, headers=bearer(*SCOPES, rm="rm1")
    )
    assert (preview.json()["customers"], preview.json()["examples"]) == (1, ["c0001"])
    other = await bank.get("/v1/customers/c0001/levels", headers=bearer(*SCOPES, customer="c0000"))
    elsewhere = await bank.get(
        "/v1/customers/c0002/levels", headers=bearer(*SCOPES, org="bank/east")
    )
    assert (other.status_code, elsewhere.status_code) == (404, 404)


async def test_scopes_are_needed(bank: Bank) -> None:
    reader = bearer("segments:read")

    assert (await bank.get("/v1/segments", headers=reader)).status_code == 200
    created = await bank.http.post("/v1/segments", json=DRAFT, headers=reader)
    assert (created.status_code, created.json()["code"]) == (403, "insufficient_scope")
    assert (await bank.get("/v1/segments", headers={})).status_code == 401


@pytest.mark.parametrize(
    "change",
    [{"zh": "a\0b"}, {"rule": "age > 1 -- \0"}, {"family": "\0"}, {"key": "a\n"}, {"en": ""},
     {"rule": "(" * 5_000}, {"rule": "x" * 20_000}, {"colour": "red"}, {"rule": None}],
)  # fmt: skip
async def test_absurd_drafts_are_refused(bank: Bank, change: dict[str, Any]) -> None:
    assert (await draft(bank, **change)).status_code == 422


@pytest.mark.parametrize("as_of", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x"])
async def test_absurd_moments_are_refused(bank: Bank, as_of: str) -> None:
    for path in ("/v1/segments/all/members", "/v1/memberships/export", "/v1/customers/c1/levels"):
        assert (await bank.get(path, params={"as_of": as_of})).status_code == 422
