import pytest

from tests.kit import bearer
from tests.profile.conftest import Profile, ago

pytestmark = pytest.mark.anyio

PATH = "/customers/c1/assessments"


async def test_b5_the_latest_assessment_counts_until_it_expires(profile: Profile) -> None:
    await profile.customer("c1")
    for days, risk_class in ((200, 4), (370, 2)):
        body = {"risk_class": risk_class, "assessed_at": ago(days), "questionnaire_version": "1"}
        await profile.ok("POST", PATH, json=body)

    found = await profile.features("c1")
    told = await profile.feed("assessment_recorded")

    assert (found["risk_class"], found["assessment_valid"]) == (4, True)
    assert [each["risk_class"] for each in told] == [4]  # the older one changes nothing


async def test_b4_and_b6_are_enforced(profile: Profile) -> None:
    await profile.customer("c1")
    body = {"risk_class": 3, "questionnaire_version": "1"}
    for minutes in (0.01, 0.02):
        await profile.ok("POST", PATH, json={**body, "assessed_at": ago(minutes)})

    third = await profile.call("POST", PATH, json=body)
    by_staff = await profile.call(
        "POST", PATH, json=body, headers=bearer("customers:write", actor="clerk-7")
    )

    assert (third.status_code, third.json()["code"]) == (403, "too_many_assessments")
    assert (by_staff.status_code, by_staff.json()["code"]) == (403, "staff_may_not_assess")
