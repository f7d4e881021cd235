"""The register of managers: versions, part of the bank, usual capacity."""

import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile

pytestmark = pytest.mark.anyio
SCOPES = ("ownership:write", "customers:read")
NEW = {"If-None-Match": "*"}


async def test_a_manager_is_entered_once_changed_on_what_was_read_and_seen_by_their_part(
    profile: Profile,
) -> None:
    east, west = (bearer(*SCOPES, org=f"bank/{name}") for name in ("east", "west"))
    body = {"org_path": "bank/east/b1", "serves": ["wealth_manager", "mass_rm"]}
    made = await profile.call("PUT", "/managers/rm1", json=body, headers={**east, **NEW})
    inactive = {**body, "is_active": False}
    blind = await profile.call("PUT", "/managers/rm1", json=inactive, headers={**east, **NEW})
    held = {**east, "If-Match": made.headers["ETag"]}
    changed = await profile.ok("PUT", "/managers/rm1", json=inactive, headers=held)

    assert (made.json()["capacity"], made.json()["customers"]) == (250, 0)
    assert blind.status_code == 412
    assert (changed["version"], changed["is_active"]) == (2, False)
    assert (await profile.call("GET", "/managers/rm1", headers=west)).status_code == 404
    assert (await profile.ok("GET", "/managers", headers=west))["items"] == []
    moved = await profile.call("PUT", "/managers/rm2", json=body, headers={**west, **NEW})
    assert moved.status_code == 403


async def test_a_kind_of_manager_that_there_is_not_is_named_by_its_place(profile: Profile) -> None:
    body = {"org_path": "bank", "serves": ["mass_rm", "friend"]}
    refused = await profile.call(
        "PUT", "/managers/rm1", json=body, headers={**bearer(*SCOPES), **NEW}
    )

    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_manager_kind")
    assert refused.json()["errors"][0]["pointer"] == "/serves/1"
