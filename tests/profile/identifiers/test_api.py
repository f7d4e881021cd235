from datetime import timedelta
from typing import Any

import pytest

from tests.kit import bearer
from tests.profile.conftest import NOW, Profile

pytestmark = pytest.mark.anyio

PHONE, PATH = "13800138000", "/customers/c1/unmask"
MAY = bearer("identifiers:unmask", actor="clerk-7")
AUDITOR = bearer("unmaskings:read")


async def unmask(profile: Profile, *fields: str, purpose: str = "call_back", **options: Any) -> Any:
    body = {"fields": list(fields), "purpose": purpose}
    return await profile.call("POST", PATH, **{"json": body, "headers": MAY, **options})


async def test_p16_unmasking_needs_a_scope_and_a_purpose_of_the_catalogue(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE)

    answers = [
        await unmask(profile, "phone", headers={}),
        await unmask(profile, "phone", json={"fields": ["phone"]}),
        await unmask(profile, "phone", purpose="curiosity"),
        await unmask(profile),
        await unmask(profile, "shoe_size"),
    ]

    assert [each.status_code for each in answers] == [403, 422, 422, 422, 422]
    assert answers[2].json()["code"] == "unknown_purpose"
    assert (await profile.ok("GET", "/unmaskings", headers=AUDITOR))["items"] == []


async def test_p16_only_the_fields_asked_for_are_read_and_the_read_is_on_record(
    profile: Profile,
) -> None:
    await profile.customer("c1", phone=PHONE, name="张三")

    plain = (await unmask(profile, "phone", "email")).json()
    told = await profile.ok("GET", "/unmaskings", headers=AUDITOR)

    assert (plain["phone"], plain["name"], plain["email"]) == (PHONE, None, None)
    (read,) = told["items"]
    assert (read["customer_id"], read["actor"], read["client_id"]) == (
        "c1", "clerk-7", "test-client",
    )  # fmt: skip
    assert (read["purpose"], read["fields"]) == ("call_back", ["email", "phone"])
    assert PHONE not in str(told)


async def test_p16_reads_are_listed_latest_first_by_whom_and_of_whom(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE, org_path="bank/b1")
    for purpose in ("audit", "complaint", "delivery"):
        await unmask(profile, "phone", purpose=purpose)
    profile.clock.set_now(NOW + timedelta(days=1))
    await unmask(profile, "phone", purpose="correction")

    async def purposes(query: str, **claims: str) -> tuple[list[str], str | None]:
        headers = bearer("unmaskings:read", **claims)
        page = await profile.ok("GET", f"/unmaskings?{query}", headers=headers)
        return [each["purpose"] for each in page["items"]], page["next"]

    first, next_ = await purposes("limit=3")
    rest, end = await purposes(f"limit=3&after={next_}")

    assert (first, rest, end) == (["correction", "delivery", "complaint"], ["audit"], None)
    assert (await purposes("customer_id=c2"))[0] == []
    assert len((await purposes("actor=clerk-7"))[0]) == 4
    assert len((await purposes("", org="bank/b1"))[0]) == 4
    assert (await purposes("", org="bank/b2"))[0] == []
    assert (await profile.call("GET", "/unmaskings")).status_code == 403
