"""Customers are found by what staff know of them, and only those a token sees."""

from typing import Any

import httpx
import pytest

from services.profile.clients import Segments
from services.profile.identifiers.service import key_ring
from services.profile.search.domain import Sought
from services.profile.search.service import Search
from services.profile.worker import reseal
from shared.client import ServiceClient
from shared.errors import Forbidden
from shared.tokens import Token
from tests.kit import bearer
from tests.profile.conftest import KEYS, NOW, Profile

pytestmark = pytest.mark.anyio


async def found(
    profile: Profile, headers: dict[str, str] | None = None, **wanted: Any
) -> list[str]:
    page = await profile.ok("POST", "/customers:search", json=wanted, headers=headers or {})
    return [each["customer_id"] for each in page["items"]]


async def some(profile: Profile) -> None:
    people = {
        "c1": {"name": "张伟", "phone": "13800138000", "org_path": "bank/east/b1", "rm_id": "r1"},
        "c2": {"name": "张薇", "phone": "13900138000", "org_path": "bank/east/b2", "rm_id": "r2"},
        "c3": {"name": "单雄信", "phone": "13700131234", "org_path": "bank/eastern", "rm_id": "r1"},
        "c4": {"name": "Zoë Wang", "phone": "13600138000", "org_path": "bank", "rm_id": "r3"},
    }
    for customer_id, stated in people.items():
        body = {"party_type": "person", **stated}
        await profile.ok("PUT", f"/customers/{customer_id}", json=body)


async def test_a_name_is_found_as_it_is_written_and_as_it_sounds(profile: Profile) -> None:
    await some(profile)

    assert await found(profile, name="张伟") == ["c1"]
    assert await found(profile, name="zhangwei") == ["c1", "c2"]
    assert await found(profile, name="Zhang Wei") == ["c1", "c2"]
    assert await found(profile, name="zw") == ["c1", "c2", "c4"]
    assert await found(profile, name="shanxiongxin") == await found(profile, name="sxx") == ["c3"]
    assert await found(profile, name="zoëwang") == ["c4"]
    assert await found(profile, name="张") == []


async def test_all_that_is_named_holds(profile: Profile) -> None:
    await some(profile)

    assert await found(profile, phone_end="8000") == ["c1", "c2", "c4"]
    assert await found(profile, phone_end="8000", name="zw", rm_id="r2") == ["c2"]
    assert await found(profile, org_path="bank/east") == ["c1", "c2"]
    assert await found(profile, org_path="bank") == ["c1", "c2", "c3", "c4"]
    assert await found(profile, org_path="bank/east", rm_id="r1") == ["c1"]
    assert await found(profile, phone="139 0013 8000", name="张伟") == []
    first = await profile.ok("POST", "/customers:search", json={"phone_end": "8000", "limit": 2})
    rest = await found(profile, phone_end="8000", limit=2, after=first["next"])
    assert ([each["customer_id"] for each in first["items"]], rest) == (["c1", "c2"], ["c4"])


async def test_nobody_is_found_beyond_a_tokens_sight(profile: Profile) -> None:
    await some(profile)

    for claims, seen in (
        ({"org": "bank/east"}, ["c1", "c2"]),
        ({"rm": "r3"}, ["c4"]),
        ({"customer": "c2"}, ["c2"]),
    ):
        assert await found(profile, bearer("customers:read", **claims), name="zw") == seen
    none = await profile.call("POST", "/customers:search", json={"limit": 3})
    assert none.status_code == 422


async def test_what_changes_or_goes_is_found_no_more(profile: Profile) -> None:
    await some(profile)
    await profile.ok("PATCH", "/customers/c1", json={"name": "李四"})
    await profile.ok("PATCH", "/customers/c2", json={"phone": None})

    assert await found(profile, name="zhangwei") == ["c2"]
    assert await found(profile, name="lisi") == ["c1"]
    assert await found(profile, phone_end="8000") == ["c1", "c4"]


async def test_l9_of_a_merged_record_the_survivor_is_found(profile: Profile) -> None:
    await some(profile)
    merge = {"merged": "c1", "reason": "same person"}
    await profile.ok("POST", "/customers/c3/merge", json=merge, headers=bearer("customers:merge"))

    assert await found(profile, name="zhangwei", phone_end="1234") == ["c3"]
    assert await found(profile, bearer("customers:read", customer="c1"), name="zw") == ["c3"]


async def test_a13_tokens_tell_nothing_and_the_worker_makes_those_that_are_missing(
    profile: Profile,
) -> None:
    await some(profile)
    async with profile.database.connection() as connection:
        kept = await connection.fetchval("SELECT string_agg(tokens::text, ',') FROM search_key")
        tokens = str(kept)
        assert "8000" not in tokens.split(",")
        assert "zhang" not in tokens
        await connection.execute("DELETE FROM search_key WHERE customer_id = 'c1'")
        await connection.execute("UPDATE search_key SET tokens = '{}', scheme = 0")

    await reseal(profile.database, key_ring(KEYS), at_once=3)

    assert await found(profile, name="zw") == ["c1", "c2", "c4"]


class Segment:
    """Answers who is in a segment: all customers but one."""

    def __init__(self, *absent: str) -> None:
        self.absent = absent
        self.asked = 0

    async def members(self, segment: str, *, after: str, **_: object) -> tuple[list[str], bool]:
        self.asked += 1
        ids = [f"c{n}" for n in range(1, 5) if f"c{n}" not in self.absent and f"c{n}" > after]
        return ids[:1], len(ids) > 1

    async def among(self, segment: str, customer_ids: list[str]) -> set[str]:
        self.asked += 1
        return set(customer_ids) - set(self.absent)


async def test_staff_find_who_bears_a_tag_now(profile: Profile) -> None:
    await some(profile)
    for customer_id in ("c1", "c2", "c3"):
        await profile.ok("PUT", f"/customers/{customer_id}/tags/vip_care", json={})
    await profile.ok("DELETE", "/customers/c2/tags/vip_care")

    assert await found(profile, tag="vip_care") == ["c1", "c3"]
    assert await found(profile, tag="vip_care", org_path="bank/east") == ["c1"]
    assert await found(profile, tag="branch_regular") == []
    bound = bearer("customers:read", customer="c1")
    answer = await profile.call(
        "POST", "/customers:search", json={"tag": "vip_care"}, headers=bound
    )
    assert answer.status_code == 403


async def test_a_segment_is_asked_for_those_who_come_into_question(profile: Profile) -> None:
    await some(profile)
    segment = Segment("c2")
    token = Token(client_id="t", scopes=frozenset({"segments:read"}), expires_at=0)
    search = Search(
        database=profile.database,
        segments=segment,  # pyright: ignore[reportArgumentType] - the same calls, in memory
        ring=key_ring(KEYS),
        token=token,
        now=NOW,
    )
    nothing = dict.fromkeys(("name", "phone_end", "rm_id", "org_path"))
    sought: dict[str, Any] = {"identifiers": {}, **nothing, "segment": "key"}

    narrow = await search.page(Sought(**{**sought, "name": "zw"}), after="", limit=5)
    wide = await search.page(Sought(**{**sought, "org_path": "bank/east"}), after="", limit=5)
    everybody = await search.page(Sought(**sought), after="", limit=2)

    assert [each.customer_id for each in narrow.customers] == ["c1", "c4"]
    assert [each.customer_id for each in wide.customers] == ["c1"]
    assert ([each.customer_id for each in everybody.customers], everybody.last) == (
        ["c1", "c3"],
        "c3",
    )


async def test_a_segment_needs_its_scope_and_its_service(profile: Profile) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 300})
        if request.url.path.endswith(":among"):
            return httpx.Response(200, json={"customer_ids": ["c1"]})
        items = [{"customer_id": "c1"}, {"customer_id": "c2"}]
        return httpx.Response(200, json={"items": items, "next": "x"})

    client = ServiceClient("http://gateway", "a", "b", transport=httpx.MockTransport(answer))
    segments = Segments(client)

    assert await segments.members("key", org_path=None, rm_id="r1", after="c0", limit=2) == (
        ["c1", "c2"],
        True,
    )
    assert await segments.among("key", ["c1", "c3"]) == {"c1"}
    reads = bearer("customers:read")
    poor = await profile.call("POST", "/customers:search", json={"segment": "key"}, headers=reads)
    assert (poor.status_code, poor.json()["code"]) == (403, Forbidden.code)
