import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile

pytestmark = pytest.mark.anyio


async def test_p1_a_read_for_a_purpose_omits_what_it_does_not_cover(profile: Profile) -> None:
    await profile.customer("c1", name="Li Si", phone="13800138000", birth_date="1980-01-01")
    path = "/customers/c1"

    whole = await profile.ok("GET", path)
    sold = await profile.ok("GET", f"{path}?purpose=marketing")
    served = await profile.ok("GET", f"{path}?purpose=service")
    features = (await profile.ok("GET", f"{path}/features?purpose=marketing"))["features"]

    assert {"name", "phone", "birth_date", "residence_area"} <= set(whole)
    assert set(whole) - set(sold) >= {"name", "birth_date", "residence_area"}
    assert sold["phone"] == whole["phone"]
    assert {"name", "birth_date"} <= set(served)
    assert "aum" in features
    assert not {"age", "salary_month", "product_views_7d"} & set(features)


async def test_p1_consent_to_profiling_opens_what_rests_on_it(profile: Profile) -> None:
    await profile.customer("c1")
    path = "/customers/c1/features?purpose=profiling"
    before = (await profile.ok("GET", path))["features"]
    said = {"state": "granted", "text_version": "1", "evidence": "x"}
    await profile.ok("PUT", "/customers/c1/consents/profiling", json=said)
    granted = (await profile.ok("GET", path))["features"]
    await profile.ok("PUT", "/customers/c1/consents/profiling", json=said | {"state": "withdrawn"})
    after = (await profile.ok("GET", path))["features"]

    assert set(granted) - set(before) >= {"product_views_7d", "household_aum", "minor_children"}
    assert set(after) == set(before)


async def test_the_grounds_are_listed_and_an_unknown_purpose_is_refused(profile: Profile) -> None:
    await profile.customer("c1")
    listed = await profile.ok("GET", "/grounds", headers=bearer("attributes:read"))
    refused = await profile.call("GET", "/customers/c1?purpose=curiosity")

    identity = next(each for each in listed["items"] if each["key"] == "identity")
    assert (identity["ground"], identity["restricted_days"]) == ("legal_duty", 3650)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_purpose")
