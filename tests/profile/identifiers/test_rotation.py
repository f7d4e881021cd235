"""A key of the ring retired: the worker seals anew, then the old key is taken off."""

import pytest

from services.profile.identifiers.service import KeyMissing, KeyRing, shown
from services.profile.identities.domain import Sought
from services.profile.identities.service import resolve_many
from services.profile.kyc.repository import sealed_of
from services.profile.worker import reseal
from shared.tokens import Token
from tests.profile.conftest import KEYS, Profile

pytestmark = pytest.mark.anyio

PHONE, CARD = "13800138000", "6222020000000001234"
FIRST_SECRET = KEYS.partition(":")[2]
NEW = "two:" + "n" * 40
ANYBODY = Token(client_id="test", scopes=frozenset(), expires_at=0)


async def sealed_customers(profile: Profile, count: int) -> list[str]:
    ids = [f"c{number}" for number in range(count)]
    for each in ids:
        body = {"party_type": "person", "phone": PHONE, "name": f"张{each}"}
        await profile.ok("PUT", f"/customers/{each}", json=body)
    references = [{"system": "card", "reference": CARD}, {"system": "crm", "reference": "X"}]
    await profile.ok("PUT", "/customers/c0/references", json={"references": references})
    return ids


async def test_after_the_worker_sealed_anew_the_old_key_can_be_taken_off_the_ring(
    profile: Profile,
) -> None:
    parties = {each: [each] for each in await sealed_customers(profile, 4)}
    await profile.ok("PUT", "/customers/c0/kyc/employer", json={"value": "a", "source": "rm"})
    without = KeyRing.parse(f"index:{FIRST_SECRET},{NEW}")
    async with profile.database.connection() as connection:
        with pytest.raises(KeyMissing):
            await shown(connection, without, parties)

    await reseal(profile.database, KeyRing.parse(f"{KEYS},{NEW}"), at_once=3)

    sought = Sought(identifiers={"name": "张c0", "phone": PHONE}, references={"card": CARD})
    async with profile.database.connection() as connection:
        masked = await shown(connection, without, parties)
        (found,) = await resolve_many(connection, [sought], token=ANYBODY, ring=without)
        values = await sealed_of(connection, ["c0"])
    assert {each["phone"] for each in masked.values()} == {"138****8000"}
    assert without.open("c0", "kyc.employer", values["employer"][1]) == '"a"'
    assert (found.customer_id, found.matched_by) == ("c0", ("card", "name", "phone"))


async def test_what_the_newest_key_sealed_is_left_alone(profile: Profile) -> None:
    await sealed_customers(profile, 2)
    query = "SELECT xmin::text, sealed FROM identifier ORDER BY customer_id, kind"
    async with profile.database.connection() as connection:
        before = [tuple(row) for row in await connection.fetch(query)]

    await reseal(profile.database, KeyRing.parse(KEYS))

    async with profile.database.connection() as connection:
        assert [tuple(row) for row in await connection.fetch(query)] == before


async def test_an_index_secret_of_its_own_takes_hold_with_a_new_key(profile: Profile) -> None:
    await sealed_customers(profile, 1)
    ring = KeyRing.parse(f"index:{'i' * 40},{KEYS},{NEW}")

    await reseal(profile.database, ring)

    sought = Sought(identifiers={"phone": PHONE}, references={"card": CARD})
    async with profile.database.connection() as connection:
        (found,) = await resolve_many(connection, [sought], token=ANYBODY, ring=ring)
    assert found.matched_by == ("card", "phone")
