import asyncio
from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import SCOPES, Profile

pytestmark = pytest.mark.anyio


async def people(profile: Profile, *names: str, party_type: str = "person", **facts: Any) -> None:
    for name in names:
        body = {"party_type": party_type, **facts}
        await profile.ok("PUT", f"/customers/{name}", json=body)


def stated(kind: str, to_id: str, **facts: Any) -> dict[str, Any]:
    return {"kind": kind, "to_id": to_id, "source": "rm", **facts}


async def relate(profile: Profile, from_id: str, to_id: str, kind: str, **facts: Any) -> Any:
    path = f"/customers/{from_id}/relations/{kind}-{to_id}"
    return await profile.ok("PUT", path, json=stated(kind, to_id, **facts))


async def refusal(profile: Profile, from_id: str, relation_id: str, **body: Any) -> tuple[int, str]:
    path = f"/customers/{from_id}/relations/{relation_id}"
    answer = await profile.call("PUT", path, json=stated(**body))
    return answer.status_code, answer.json()["code"]


async def test_a_relation_is_read_from_both_sides(profile: Profile) -> None:
    await people(profile, "mother", "son")
    await people(profile, "works", party_type="company")
    await relate(profile, "mother", "son", "household", role="child", confidence=0.9)
    await relate(profile, "works", "mother", "employment", since="2020-01-01")

    hers = await profile.ok("GET", "/customers/mother/relations")
    his = await profile.ok("GET", "/customers/son/relations")

    by_other = {each["other_id"]: each for each in hers["items"]}
    assert by_other["son"]["other_role"]["key"] == "child"
    assert by_other["son"]["confidence"] == 0.9
    assert by_other["works"]["other_is"] == {"zh": "代发单位", "en": "Employer who pays here"}
    assert (by_other["works"]["is_link"], by_other["works"]["since"]) == (True, "2020-01-01")
    assert [each["other_role"]["label"]["zh"] for each in his["items"]] == ["父母"]
    assert (hers["hidden"], hers["next"]) == (0, None)


async def test_relations_are_paged_by_a_cursor(profile: Profile) -> None:
    await people(profile, "a", *[f"b{n}" for n in range(5)])
    for n in range(5):
        await relate(profile, "a", f"b{n}", "household", role="other")

    first = await profile.ok("GET", "/customers/a/relations?limit=3")
    second = await profile.ok("GET", f"/customers/a/relations?limit=3&after={first['next']}")

    found = [each["other_id"] for each in first["items"] + second["items"]]
    assert (found, second["next"]) == ([f"b{n}" for n in range(5)], None)


async def test_bad_relations_are_refused_each_with_its_reason(profile: Profile) -> None:
    await people(profile, "a", "b", "c")
    await people(profile, "x", party_type="company")
    await relate(profile, "a", "b", "referral")
    await relate(profile, "b", "c", "referral")

    assert [
        await refusal(profile, "a", "r", kind="guarantor", to_id="a"),
        await refusal(profile, "a", "r", kind="guarantor", to_id="nobody"),
        await refusal(profile, "nobody", "r", kind="guarantor", to_id="a"),
        await refusal(profile, "a", "r", kind="friend", to_id="b"),
        await refusal(profile, "a", "r", kind="employment", to_id="b"),
        await refusal(profile, "a", "r", kind="household", to_id="b"),
        await refusal(profile, "x", "r", kind="shareholder", to_id="b", share=120),
        await refusal(
            profile, "x", "r", kind="guarantor", to_id="b", since="2026-01-02", until="2026-01-01"
        ),
        await refusal(profile, "c", "r", kind="referral", to_id="a"),
        await refusal(profile, "x", "r", kind="referral", to_id="b"),
        await refusal(profile, "a", "referral-b", kind="guarantor", to_id="b"),
    ] == [
        (422, "self_relation"),
        (422, "unknown_party"),
        (404, "no_such_customer"),
        (422, "unknown_relation_kind"),
        (422, "wrong_party_type"),
        (422, "wrong_role"),
        (422, "wrong_share"),
        (422, "ends_before_it_begins"),
        (409, "relation_cycle"),
        (409, "relation_taken"),
        (409, "relation_fixed"),
    ]


async def test_a_referral_chain_is_not_closed_by_two_at_once(profile: Profile) -> None:
    await people(profile, *"abcd")
    await relate(profile, "a", "b", "referral")
    await relate(profile, "c", "d", "referral")

    answers = await asyncio.gather(
        profile.call("PUT", "/customers/b/relations/r", json=stated("referral", "c")),
        profile.call("PUT", "/customers/d/relations/r", json=stated("referral", "a")),
    )

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_the_same_relation_again_changes_nothing_and_a_deleted_one_is_gone(
    profile: Profile,
) -> None:
    await people(profile, "a", "b")
    first = await relate(profile, "a", "b", "household", role="spouse")
    again = await relate(profile, "a", "b", "household", role="spouse")
    path = "/customers/a/relations/household-b"
    await profile.ok("DELETE", path)
    missing = await profile.call("DELETE", path)

    assert again["event_id"] is None
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_relation")
    assert (await profile.ok("GET", "/customers/b/relations"))["items"] == []
    assert first.keys() == {"event_id"}


async def ring(profile: Profile) -> None:
    """Six people in a circle, a company beside it."""
    await people(profile, *[f"p{n}" for n in range(6)], org_path="bank/east")
    await people(profile, "works", party_type="company", org_path="bank/east")
    for n in range(6):
        await relate(profile, f"p{n}", f"p{(n + 1) % 6}", "household", role="other")
    await relate(profile, "works", "p0", "employment")


async def graph(profile: Profile, query: str = "", **options: Any) -> dict[str, Any]:
    return await profile.ok("GET", f"/customers/p0/relation-graph{query}", **options)


def depths(found: dict[str, Any]) -> dict[str, int]:
    return {node["customer_id"]: node["depth"] for node in found["nodes"]}


async def test_a_graph_is_walked_breadth_first_and_circles_end(profile: Profile) -> None:
    await ring(profile)

    near = depths(await graph(profile, "?depth=1"))
    far = await graph(profile, "?depth=3")

    assert near == {"p0": 0, "p1": 1, "p5": 1, "works": 1}
    assert depths(far) == {"p0": 0, "p1": 1, "p5": 1, "works": 1, "p2": 2, "p4": 2, "p3": 3}
    assert len(far["relations"]) == 7
    assert (far["hidden"], far["is_cut"]) == (0, False)


async def test_a_graph_follows_the_wanted_kinds_and_only_relations_that_hold_now(
    profile: Profile,
) -> None:
    await ring(profile)
    path = "/customers/p0/relations/household-p1"
    body = stated("household", "p1", role="other", until="2026-03-02")
    await profile.ok("PUT", path, json=body)

    family = depths(await graph(profile, "?depth=1&kinds=household"))
    work = depths(await graph(profile, "?kinds=employment"))
    unknown = await profile.call("GET", "/customers/p0/relation-graph?kinds=friend")

    assert (family, work) == ({"p0": 0, "p5": 1}, {"p0": 0, "works": 1})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_relation_kind")


async def test_a_graph_is_cut_at_its_limit_and_says_so(profile: Profile) -> None:
    await ring(profile)

    found = await graph(profile, "?depth=3&limit=3")

    assert (depths(found), found["is_cut"]) == ({"p0": 0, "p1": 1, "p5": 1}, True)
    assert not (await graph(profile, "?depth=3&limit=7"))["is_cut"]


async def test_a_party_out_of_sight_is_left_out_and_so_is_who_is_behind_it(
    profile: Profile,
) -> None:
    await ring(profile)
    await profile.ok("PATCH", "/customers/p1", json={"org_path": "bank/west"})
    await profile.ok("PATCH", "/customers/p4", json={"org_path": "bank/west", "rm_id": "rm1"})
    east = bearer(*SCOPES, org="bank/east")

    found = await graph(profile, "?depth=3", headers=east)
    listed = await profile.ok("GET", "/customers/p0/relations", headers=east)
    beyond = await profile.call("GET", "/customers/p1/relations", headers=east)
    body = stated("household", "p1", role="other")
    written = await profile.call("PUT", "/customers/p0/relations/r", json=body, headers=east)
    path = "/customers/p0/relations/household-p1"
    deleted = await profile.call("DELETE", path, headers=east)
    own = await graph(profile, headers=bearer(*SCOPES, customer="p0"))

    assert depths(found) == {"p0": 0, "p5": 1, "works": 1}
    assert found["hidden"] == 2
    assert {each["other_id"] for each in listed["items"]} == {"p5", "works"}
    assert listed["hidden"] == 1
    assert (beyond.status_code, deleted.status_code) == (404, 404)
    assert (written.status_code, written.json()["code"]) == (422, "unknown_party")
    assert (depths(own), own["hidden"]) == ({"p0": 0}, 3)


async def test_a_household_is_all_whom_its_relations_join(profile: Profile) -> None:
    await ring(profile)

    found = await profile.ok("GET", "/customers/p2/household")

    members = [member["customer_id"] for member in found["members"]]
    assert members[0] == "p2"
    assert sorted(members) == [f"p{n}" for n in range(6)]
    assert (found["hidden"], found["is_cut"], len(found["relations"])) == (0, False, 6)
