import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile

pytestmark = pytest.mark.anyio
SCOPES = ("catalogue:write", "customers:read")


async def test_the_rules_are_written_whole_on_what_was_read_by_who_sees_the_whole_bank(
    profile: Profile,
) -> None:
    shipped = await profile.call("GET", "/ownership-rules")
    body = {"rules": list(reversed(shipped.json()["rules"]))}
    tag = {"If-Match": shipped.headers["ETag"]}
    branch = {**bearer(*SCOPES, org="bank/a"), **tag}
    part = await profile.call("PUT", "/ownership-rules", json=body, headers=branch)
    whole = {**bearer(*SCOPES, actor="s-1"), **tag}
    written = await profile.ok("PUT", "/ownership-rules", json=body, headers=whole)
    stale = await profile.call("PUT", "/ownership-rules", json={"rules": []}, headers=whole)

    assert part.json()["code"] == "whole_bank_only"
    assert (written["version"], written["author"]) == (2, "s-1")
    assert written["rules"] == body["rules"]
    assert stale.status_code == 412
