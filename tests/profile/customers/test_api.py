import pytest

from tests.kit import bearer
from tests.profile.conftest import SCOPES, Profile, cny

pytestmark = pytest.mark.anyio

USD = {"amount": "1", "currency": "USD"}
KNOWN_SCOPES = {
    *SCOPES, "customers:merge", "identifiers:unmask", "unmaskings:read",
    "duplicates:read", "duplicates:write", "duplicates:run",
    "rights:request", "rights:read", "rights:write", "rights:unseal", "attributes:read",
    "attributes:write",
    "disclosures:read", "disclosures:write", "catalogue:write", "ownership:write",
    "purposes:write", "conduct:read",
}  # fmt: skip
PHONE, NATIONAL_ID = "13800138000", "11010519491231002X"


async def test_a_customer_is_stated_patched_and_read_with_masked_identifiers(
    profile: Profile,
) -> None:
    await profile.ok(
        "PUT",
        "/customers/c1",
        json={
            "party_type": "person",
            "name": "张三",
            "phone": PHONE,
            "income_year": cny("120000.50"),
        },
    )
    await profile.ok("PATCH", "/customers/c1", json={"occupation": "farmer", "income_year": None})

    found = await profile.ok("GET", "/customers/c1")
    features = await profile.features("c1")

    assert (found["name"], found["phone"]) == ("张*", "138****8000")
    assert (found["occupation"], found["income_year"]) == ("farmer", None)
    assert (features["occupation"], features["income_year"]) == ("farmer", None)


async def test_customers_are_found_by_identifiers_in_the_body(profile: Profile) -> None:
    await profile.customer("c1", phone="+86 138 0013 8000", name="张三")
    await profile.customer("c2", phone="13900139000", name="张三")

    by_both = await profile.ok("POST", "/customers:search", json={"phone": PHONE, "name": "张三"})
    by_name = await profile.ok("POST", "/customers:search", json={"name": "张三"})

    assert [each["customer_id"] for each in by_both["items"]] == ["c1"]
    assert [each["customer_id"] for each in by_name["items"]] == ["c1", "c2"]


async def test_a13_identifiers_are_sealed_in_the_database(profile: Profile) -> None:
    await profile.customer("c1", phone=PHONE, national_id=NATIONAL_ID, name="张三")

    async with profile.database.connection() as connection:
        rows = await connection.fetch("SELECT sealed, digest FROM identifier")
    kept = b"".join(bytes(value) for row in rows for value in row.values())

    assert len(rows) == 3
    assert PHONE.encode() not in kept
    assert "张三".encode() not in kept


async def test_a13_an_identifier_cannot_be_the_id_of_a_customer(profile: Profile) -> None:
    body = {"party_type": "person", "phone": PHONE}

    answer = await profile.call("PUT", f"/customers/{PHONE}", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "identifier_as_id")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/party_type"),
        ({"party_type": "robot"}, "/party_type"),
        ({"party_type": "person", "nickname": "x"}, "/nickname"),
        ({"party_type": "person", "birth_date": "0001-01-01"}, "/birth_date"),
        ({"party_type": "person", "income_year": cny("1e30")}, "/income_year/amount"),
        ({"party_type": "person", "income_year": USD}, "/income_year/currency"),
        ({"party_type": "person", "time_zone": "Mars/Base"}, "/time_zone"),
        ({"party_type": "person", "name": "a\0b"}, "/name"),
    ],
)  # fmt: skip
async def test_a1_wrong_fields_are_named_and_nothing_is_written(
    profile: Profile, body: dict[str, object], pointer: str
) -> None:
    answer = await profile.call("PUT", "/customers/c1", json=body)

    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert (await profile.call("GET", "/customers/c1")).status_code == 404


async def test_a_token_sees_its_customer_its_branch_or_its_managers_customers_only(
    profile: Profile,
) -> None:
    await profile.customer("c1", org_path="bank/east/b1", rm_id="rm1")
    await profile.customer("c2", org_path="bank/eastern", rm_id="rm2")
    scopes = ("customers:read", "features:read", "consents:write")

    async def sees(**claims: str) -> list[bool]:
        answers = [
            await profile.call("GET", f"/customers/{each}{part}", headers=bearer(*scopes, **claims))
            for each in ("c1", "c2")
            for part in ("", "/consents", "/features")
        ]
        return [answer.is_success for answer in answers]

    assert await sees(org="bank/east") == [True] * 3 + [False] * 3
    assert await sees(rm="rm2") == [False] * 3 + [True] * 3
    assert await sees(customer="c1") == [True] * 3 + [False] * 3


async def test_ownership_and_flags_are_announced_when_they_change(profile: Profile) -> None:
    await profile.customer("c1", org_path="bank/b1", birth_date="2010-02-28")
    await profile.ok("PATCH", "/customers/c1", json={"rm_id": "rm1"})
    await profile.ok("PATCH", "/customers/c1", json={"occupation": "student"})
    await profile.ok("PUT", "/customers/c1/flags", json={"is_frozen": True})

    owners, flags = await profile.feed("ownership_changed"), await profile.feed("flags_changed")

    assert [(each["org_path"], each["rm_id"]) for each in owners] == [
        ("bank/b1", None),
        ("bank/b1", "rm1"),
    ]
    assert [(each["is_frozen"], each["is_minor_until"]) for each in flags] == [
        (False, "2028-02-28"),
        (True, "2028-02-28"),
    ]
    assert (await profile.features("c1"))["is_frozen"] is True


async def test_b12_every_global_gate_is_a_feature(profile: Profile) -> None:
    raised = {"is_frozen": True, "in_hardship": True, "in_collection": True, "is_deceased": True}
    await profile.customer("c1", birth_date="2010-01-01")
    await profile.ok("PUT", "/customers/c1/flags", json=raised)
    await profile.ok("POST", "/customers/c1/complaints", json={"category": "fees"})

    found = await profile.features("c1")

    assert all(found[name] for name in (*raised, "is_minor", "has_open_complaint"))


async def test_a_complaint_opens_once_and_closes_once(profile: Profile) -> None:
    await profile.customer("c1")
    body = {"category": "fees", "complaint_id": "k1"}
    for _ in range(2):
        await profile.ok("POST", "/customers/c1/complaints", json=body)
    await profile.ok("POST", "/customers/c1/complaints/k1/close")
    closed = await profile.ok("POST", "/customers/c1/complaints/k1/close")

    assert closed["closed_at"] is not None
    assert len(await profile.feed("complaint_opened")) == 1
    assert len(await profile.feed("complaint_closed")) == 1
    found = await profile.features("c1")
    assert (found["complaints_365d"], found["has_open_complaint"]) == (1, False)
    missing = await profile.call("POST", "/customers/c1/complaints/k2/close")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_complaint")


async def test_the_category_of_a_holding_never_changes(profile: Profile) -> None:
    await profile.customer("c1")
    holding_id = await profile.holding("c1", "fund")
    path = f"/customers/c1/holdings/{holding_id}"

    answer = await profile.call("PUT", path, json={"category": "bill", "opened_at": "2025-01-01"})
    unknown = await profile.call("PUT", path, json={"category": "x", "opened_at": "2025-01-01"})

    assert (answer.status_code, answer.json()["code"]) == (409, "category_fixed")
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown_category")


async def test_a10_lists_page_and_unknown_parameters_are_refused(profile: Profile) -> None:
    await profile.customer("c1")
    for number in range(3):
        await profile.ok(
            "PUT", f"/customers/c1/accounts/b{number}", json={"opened_at": "2026-01-01"}
        )
    first = await profile.ok("GET", "/customers/c1/accounts?limit=3")
    second = await profile.ok("GET", f"/customers/c1/accounts?limit=3&after={first['next']}")
    bad = await profile.call("GET", "/customers/c1/accounts?colour=red")

    ids = [each["account_id"] for each in first["items"] + second["items"]]
    assert ids == ["a-c1", "b0", "b1", "b2"]
    assert second["next"] is None
    assert (bad.status_code, bad.json()["code"]) == (400, "unknown_parameter")


async def test_every_scope_is_asked_for(profile: Profile) -> None:
    document = profile.app.openapi()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if "/feeds/" in path:
                continue
            scopes = [scope for each in operation["security"] for scope in each["bihuan"]]
            assert set(scopes) & KNOWN_SCOPES, (method, path)


async def test_nobody_is_born_tomorrow_and_no_cost_is_negative(profile: Profile) -> None:
    for field, value in (("birth_date", "2199-01-01"), ("acquisition_cost", cny("-1"))):
        body = {"party_type": "person", field: value}
        answer = await profile.http.put(
            "/v1/customers/c9", json=body, headers=bearer("customers:write")
        )
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")
    assert (
        await profile.http.get("/v1/customers/c9", headers=bearer("customers:read"))
    ).status_code == 404
