from typing import Any

import pytest

from services.profile.identifiers.service import key_ring
from services.profile.matching.service import runs
from services.profile.matching.service.linking import link
from tests.kit import bearer
from tests.profile.conftest import KEYS, Profile
from tests.profile.jobs.test_api import load

pytestmark = pytest.mark.anyio

PHONE, NATIONAL_ID = "13800138000", "11010519491231002X"
READS = ("duplicates:read", "duplicates:write", "duplicates:run")
CLERK = bearer(*READS, actor="clerk-7")


async def listed(profile: Profile, query: str = "", **claims: str) -> list[Any]:
    headers = bearer(*READS, **claims)
    return (await profile.ok("GET", f"/duplicates?{query}", headers=headers))["items"]


async def decide(profile: Profile, duplicate: Any, verb: str, **body: str) -> Any:
    path = f"/duplicates/{duplicate['duplicate_id']}/{verb}"
    return await profile.call("POST", path, json=body, headers=CLERK)


async def pairs(profile: Profile, query: str = "") -> list[tuple[str, str]]:
    return [(each["customer_id"], each["other_id"]) for each in await listed(profile, query)]


async def two_alike(profile: Profile) -> Any:
    await profile.customer("c1", national_id=NATIONAL_ID, name="张三")
    await profile.customer("c2", national_id=NATIONAL_ID.lower(), name="张 三")
    (found,) = await listed(profile)
    return found


async def test_who_bears_anothers_national_id_is_written_and_proposed(profile: Profile) -> None:
    await profile.customer("c9", national_id=NATIONAL_ID)
    answer = await profile.call(
        "PUT", "/customers/c1", json={"party_type": "person", "national_id": NATIONAL_ID}
    )

    (found,) = await listed(profile)
    read = await profile.ok("GET", f"/duplicates/{found['duplicate_id']}", headers=CLERK)

    assert (answer.status_code, set(answer.json())) == (200, {"event_id"})
    assert read == found
    assert (found["customer_id"], found["other_id"], found["state"]) == ("c1", "c9", "proposed")
    assert (found["source"], found["probability"]) == ("deterministic", 1)
    assert found["evidence"] == [
        {"comparison": "same_national_id", "level": "equal", "weight": None}
    ]


@pytest.mark.parametrize(
    ("one", "other", "is_proposed"),
    [
        ({"phone": PHONE, "name": "张三"}, {"phone": "+86 13800138000", "name": "张三"}, True),
        ({"phone": PHONE, "name": "张三"}, {"phone": PHONE, "name": "李四"}, False),
        ({"name": "张三"}, {"name": "张三"}, False),
        ({"wechat_openid": "o6"}, {"wechat_openid": "o6"}, True),
        ({"social_credit_code": "91A"}, {"social_credit_code": "91a"}, True),
    ],
)
async def test_what_is_equal_enough_is_data_of_the_catalogue(
    profile: Profile, one: dict[str, str], other: dict[str, str], is_proposed: bool
) -> None:
    await profile.customer("c1", **one)
    await profile.customer("c2")
    await profile.ok("PATCH", "/customers/c2", json=other)

    assert await pairs(profile) == ([("c1", "c2")] if is_proposed else [])


async def test_a_proposal_that_lost_its_ground_is_withdrawn(profile: Profile) -> None:
    await two_alike(profile)

    await profile.ok("PATCH", "/customers/c1", json={"national_id": "110101199001011237"})

    assert await listed(profile) == []


async def test_an_import_proposes_whom_it_makes_alike(profile: Profile) -> None:
    await profile.customer("c0", phone=PHONE, name="张三")
    columns = {
        "customer_id": ["c1", "c2", "c3"],
        "party_type": ["person"] * 3,
        "name": ["张三", "张三", "李四"],
        "phone": [PHONE, PHONE, PHONE],
    }

    loaded = await load(profile, "customers", columns)

    assert loaded["accepted"] == 3
    assert sorted(await pairs(profile)) == [("c0", "c1"), ("c0", "c2"), ("c1", "c2")]


async def test_an_identifier_that_many_bear_tells_nobody_apart(profile: Profile) -> None:
    crowd = [f"c{number:02}" for number in range(30)]
    columns = {
        "customer_id": crowd,
        "party_type": ["person"] * len(crowd),
        "wechat_openid": ["shared"] * len(crowd),
    }

    await load(profile, "customers", columns)

    assert await listed(profile) == []


async def test_a_person_confirms_and_who_and_which_survives_is_kept(profile: Profile) -> None:
    found = await two_alike(profile)
    path = f"/duplicates/{found['duplicate_id']}/confirm"

    by_program = await profile.call("POST", path, json={"survivor": "c1"}, headers=bearer(*READS))
    stranger = await decide(profile, found, "confirm", survivor="c7")
    done = await decide(profile, found, "confirm", survivor="c2")
    again = await decide(profile, found, "confirm", survivor="c2")
    otherwise = await decide(profile, found, "refuse", reason="different_people")

    assert (by_program.status_code, by_program.json()["code"]) == (403, "person_needed")
    assert (stranger.status_code, stranger.json()["code"]) == (422, "not_of_the_pair")
    told = done.json()
    assert (told["state"], told["decided_by"], told["survivor"]) == ("confirmed", "clerk-7", "c2")
    assert again.json() == told
    assert (otherwise.status_code, otherwise.json()["code"]) == (409, "duplicate_decided")


async def test_a_refused_pair_is_not_proposed_again_until_what_either_bears_changes(
    profile: Profile,
) -> None:
    found = await two_alike(profile)
    unknown = await decide(profile, found, "refuse", reason="dislike")
    refused = (await decide(profile, found, "refuse", reason="same_household")).json()

    body = {"party_type": "person", "national_id": NATIONAL_ID, "name": "张三"}
    await profile.ok("PUT", "/customers/c1", json=body)
    await run(profile)
    before = await listed(profile)
    await profile.ok("PATCH", "/customers/c2", json={"phone": PHONE})
    (after,) = await listed(profile)

    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_refusal")
    assert (refused["state"], refused["reason"], refused["decided_by"]) == (
        "refused", "same_household", "clerk-7",
    )  # fmt: skip
    assert before == [refused]
    assert (after["state"], after["reason"]) == ("proposed", None)


async def test_a_pair_of_which_one_is_out_of_sight_is_not_shown(profile: Profile) -> None:
    await profile.customer("c1", national_id=NATIONAL_ID, org_path="bank/east", rm_id="rm1")
    await profile.customer("c2", national_id=NATIONAL_ID, org_path="bank/west", rm_id="rm1")
    (found,) = await listed(profile)
    path = f"/duplicates/{found['duplicate_id']}"

    hidden = await profile.call("GET", path, headers=bearer(*READS, org="bank/east"))

    assert await listed(profile, org="bank") == await listed(profile, rm="rm1") == [found]
    assert await listed(profile, org="bank/east") == await listed(profile, customer="c1") == []
    assert hidden.status_code == 404


async def test_a10_proposals_are_paged_best_first_and_narrowed(profile: Profile) -> None:
    for number in range(4):
        await profile.customer(f"c{number}", wechat_openid=f"w{number // 2}")
    first = await profile.ok("GET", "/duplicates?limit=1", headers=CLERK)
    rest = await profile.ok("GET", f"/duplicates?limit=1&after={first['next']}", headers=CLERK)

    found = [(each["customer_id"], each["other_id"]) for each in first["items"] + rest["items"]]
    assert sorted(found) == [("c0", "c1"), ("c2", "c3")]
    assert rest["next"] is None
    assert await pairs(profile, "customer_id=c3") == [("c2", "c3")]
    assert await pairs(profile, "state=refused") == []
    assert len(await pairs(profile, "state=proposed&min_probability=1")) == 2


async def run(profile: Profile) -> Any:
    """Carry a run out in this process, with the linkage as shipped."""
    asked = await profile.ok("POST", "/duplicates/runs", headers=CLERK)

    def linking(table: Any, model: Any) -> Any:
        return link(table, model, memory="500MB")

    await runs.carry_out(profile.database, profile.clock, ring=key_ring(KEYS), link=linking)
    return await profile.ok("GET", f"/duplicates/runs/{asked['run_id']}", headers=CLERK)


async def test_one_run_at_a_time_is_open(profile: Profile) -> None:
    first = await profile.call("POST", "/duplicates/runs", headers=CLERK)
    second = await profile.ok("POST", "/duplicates/runs", headers=CLERK)
    done = await run(profile)
    third = await profile.ok("POST", "/duplicates/runs", headers=CLERK)

    assert (first.status_code, first.json()["state"]) == (202, "queued")
    assert second["run_id"] == first.json()["run_id"] == done["run_id"] != third["run_id"]
    assert (done["state"], done["total"], done["done"], done["error"]) == ("completed", 0, 0, None)
    unknown = await profile.call("GET", "/duplicates/runs/none", headers=CLERK)
    assert unknown.status_code == 404


async def test_l4_a_run_that_is_killed_every_time_is_given_up(profile: Profile) -> None:
    def killed(*_: object) -> Any:
        raise KeyboardInterrupt

    asked = await profile.ok("POST", "/duplicates/runs", headers=CLERK)
    for _ in range(runs.MOST_TRIES):
        with pytest.raises(KeyboardInterrupt):
            await runs.carry_out(profile.database, profile.clock, ring=key_ring(KEYS), link=killed)
    await runs.carry_out(profile.database, profile.clock, ring=key_ring(KEYS), link=killed)

    read = await profile.ok("GET", f"/duplicates/runs/{asked['run_id']}", headers=CLERK)
    assert (read["state"], read["error"]) == ("failed", "killed_too_often")


async def test_l9_confirmed_two_are_merged_and_parted_never_proposed_again(
    profile: Profile,
) -> None:
    found = await two_alike(profile)
    path = f"/duplicates/{found['duplicate_id']}"
    await decide(profile, found, "confirm", survivor="c2")
    assert (await profile.ok("GET", "/customers/c1"))["customer_id"] == "c2"

    merger = bearer("customers:merge", actor="clerk-8")
    await profile.ok("POST", "/customers/c2/unmerge", json={"merged": "c1"}, headers=merger)
    await profile.ok("PATCH", "/customers/c1", json={"national_id": NATIONAL_ID})

    told = await profile.ok("GET", path, headers=CLERK)
    assert (told["state"], told["reason"], told["decided_by"]) == ("refused", "parted", "clerk-8")


async def test_merged_otherwise_a_proposal_is_confirmed_with_it(profile: Profile) -> None:
    found = await two_alike(profile)
    body = {"merged": "c2", "reason": "seen at the counter"}
    await profile.ok("POST", "/customers/c1/merge", json=body, headers=bearer("customers:merge"))

    told = await profile.ok("GET", f"/duplicates/{found['duplicate_id']}", headers=CLERK)

    assert (told["state"], told["survivor"]) == ("confirmed", "c1")
