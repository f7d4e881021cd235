import pytest

from shared.feed import sequence
from tests.profile.conftest import Profile, ago

pytestmark = pytest.mark.anyio

GRANT = {"state": "granted", "text_version": "2026-01", "evidence": "form 12"}
WITHDRAW = {"state": "withdrawn", "text_version": "2026-01", "evidence": "call 7"}


async def test_p2_consent_is_a_versioned_record_with_evidence(profile: Profile) -> None:
    await profile.customer("c1")
    assert (await profile.ok("GET", "/customers/c1/consents"))["consents"] == []
    await profile.ok("PUT", "/customers/c1/consents/marketing", json=GRANT)

    now = await profile.ok("GET", "/customers/c1/consents")
    history = (await profile.ok("GET", "/customers/c1/consents/history"))["items"]

    assert [(each["purpose"], each["state"]) for each in now["consents"]] == [
        ("marketing", "granted")
    ]
    kept = {name: history[0][name] for name in ("text_version", "evidence", "recorded_by")}
    assert kept == {"text_version": "2026-01", "evidence": "form 12", "recorded_by": "test-client"}


async def test_p3_withdrawal_is_one_call_told_on_the_safety_lane_with_the_features(
    profile: Profile,
) -> None:
    await profile.customer("c1")
    await profile.ok("PUT", "/customers/c1/consents/marketing", json={**GRANT, "channel": "sms"})
    assert (await profile.features("c1"))["marketing_consent"] is True

    answer = await profile.call("PUT", "/customers/c1/consents/marketing", json=WITHDRAW)

    told = (await profile.feed("consent_changed"))[-1]
    assert {each["channel"]: each["state"] for each in told["consents"]} == {
        "all": "withdrawn",
        "sms": "withdrawn",
    }
    async with profile.database.connection() as connection:
        name = await connection.fetchval(
            "SELECT type FROM feed_pending WHERE event_id = $1", answer.headers["Bihuan-Event"]
        )
    assert name == "profile.consent_changed.v1"
    assert (await profile.features("c1"))["marketing_consent"] is False


async def test_p3_until_a_change_is_published_the_answer_says_that_more_is_to_come(
    profile: Profile,
) -> None:
    async def is_pending(customer: str) -> bool:
        return (await profile.ok("GET", f"/customers/{customer}/consents"))["pending"]

    await profile.customer("c1")
    await profile.customer("c2")
    await publish_all(profile)
    for path, body in (("/consents/marketing", GRANT), ("/flags", {"is_frozen": True})):
        await profile.ok("PUT", f"/customers/c1{path}", json=body)
        before = await is_pending("c1"), await is_pending("c2")
        await publish_all(profile)

        assert before == (True, False)
        assert not await is_pending("c1")


async def publish_all(profile: Profile) -> None:
    async with profile.database.connection() as connection:
        while (await sequence(connection)).moved:
            pass


async def test_p4_a_withdrawal_of_marketing_leaves_the_other_purposes(profile: Profile) -> None:
    await profile.customer("c1")
    for purpose in ("marketing", "profiling"):
        await profile.ok("PUT", f"/customers/c1/consents/{purpose}", json={**GRANT, "at": ago(1)})
    await profile.ok("PUT", "/customers/c1/consents/marketing", json=WITHDRAW)

    now = (await profile.ok("GET", "/customers/c1/consents"))["consents"]

    assert {each["purpose"]: each["state"] for each in now} == {
        "marketing": "withdrawn",
        "profiling": "granted",
    }


async def test_b8_the_switch_is_one_call(profile: Profile) -> None:
    await profile.customer("c1")

    await profile.ok("PUT", "/customers/c1/preferences", json={"personalization": False})

    assert (await profile.ok("GET", "/customers/c1/consents"))["personalization"] is False
    assert (await profile.features("c1"))["personalization"] is False
    assert (await profile.feed("consent_changed"))[-1]["personalization"] is False


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/customers/c1/consents/fun", GRANT, 422),
        ("/customers/c1/consents/marketing", {**GRANT, "channel": "pigeon"}, 422),
        ("/customers/c1/consents/marketing", {**GRANT, "at": ago(-1)}, 422),
        ("/customers/c1/consents/marketing", {"state": "granted"}, 422),
        ("/customers/nobody/consents/marketing", GRANT, 404),
        ("/customers/c1/preferences", {}, 422),
    ],
)
async def test_bad_statements_are_refused(
    profile: Profile, path: str, body: dict[str, str], status: int
) -> None:
    await profile.customer("c1")

    assert (await profile.call("PUT", path, json=body)).status_code == status
    assert await profile.feed("consent_changed") == []
