"""Strategy's readers, loader and consent read against the real profile."""

import io
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from services.profile.features import service as profile_features
from services.strategy.customers.domain import Flags, has_consent
from services.strategy.customers.service import consent_of
from shared.feed import sequence
from tests.contract.bank import assess, consent, decide, person, ready, redefine, reserve, write
from tests.contract.suite import EVERYTHING, NOW, Suite

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["snapshot", "feed"])
async def bank(request: pytest.FixtureRequest, suite: Suite) -> Suite:
    """A suite that hears of the test's customer by the snapshot or by the feed."""
    if request.param == "feed":
        await suite.settle()
    return suite


async def test_p3_consents_and_preferences_are_those_that_profile_serves(bank: Suite) -> None:
    await person(bank)
    await consent(bank, "granted")
    await consent(bank, "withdrawn", channel="sms")
    await write(bank, "c1", "/preferences", personalization=False, automated_decisions=False)
    await bank.settle()

    served = await bank.get("/customers/c1/consents")
    known = await bank.known("c1")
    assert len(known.consents) == 2
    assert set(known.consents) == {consent_of(item) for item in served["consents"]}
    assert (known.personalization, known.automated_decisions) == (False, False)


async def test_flags_are_those_that_profile_serves(bank: Suite) -> None:
    await person(bank, birth_date="2010-06-01")
    await write(bank, "c1", "/flags", in_hardship=True, is_frozen=True)
    await bank.settle()

    assert (await bank.known("c1")).flags == Flags(
        in_hardship=True, is_frozen=True, minor_until=date(2028, 6, 1)
    )


async def test_the_risk_class_and_its_end_are_those_that_profile_serves(bank: Suite) -> None:
    await person(bank)
    await assess(bank, 2)
    await assess(bank, 4)
    await bank.settle()

    served = (await bank.get("/customers/c1/assessments"))["items"]
    latest = next(item for item in served if item["risk_class"] == 4)
    known = await bank.known("c1")
    assert known.risk_class == 4
    assert known.risk_valid_until == datetime.fromisoformat(latest["valid_until"])


async def test_complaints_are_counted_until_they_are_closed(bank: Suite) -> None:
    await person(bank)
    for number in (1, 2):
        opened = {"complaint_id": f"k{number}", "category": "fees"}
        await bank.call("POST", "/customers/c1/complaints", opened)
    await bank.call("POST", "/customers/c1/complaints/k1/close")
    await bank.settle()

    known = await bank.known("c1")
    assert known.complaints.open == 1
    assert known.complaints.last_closed_at is not None
    assert known.complaints.last_closed_at - NOW < timedelta(minutes=5)


async def test_the_owner_is_the_last_one(bank: Suite) -> None:
    await person(bank)
    await person(bank, org_path="bank/west", rm_id="li")
    await bank.settle()

    known = await bank.known("c1")
    assert (known.org_path, known.rm_id) == ("bank/west", "li")


def known_among(features: Mapping[str, object]) -> dict[str, object]:
    """What strategy keeps: an unknown feature is one that is not there."""
    return {name: value for name, value in features.items() if value is not None}


async def test_features_are_those_that_profile_serves(bank: Suite) -> None:
    await person(bank)
    await bank.settle()

    served = await bank.get("/customers/c1/features")
    known = await bank.known("c1")
    assert known.features == known_among(served["features"])
    assert known.features_at == datetime.fromisoformat(served["as_of"])
    assert known.number("aum") == 90_000


async def test_a_rolls_features_are_fetched_from_its_export(suite: Suite) -> None:
    await person(suite)
    await suite.settle()
    before = await suite.known("c1")
    suite.move_to(datetime(2026, 4, 20, 2, 0, tzinfo=UTC))
    profile = suite.services["profile"]
    assert await profile_features.roll_if_due(profile.database, profile.app.state.clock)
    await suite.settle()

    served = await suite.get("/customers/c1/features")
    known = await suite.known("c1")
    assert len(await suite.events("profile.features_run_completed.v1")) == 1
    assert known.features == known_among(served["features"])
    assert known.features_at == datetime.fromisoformat(served["as_of"])
    assert (known.number("tenure_days") or 0) > (before.number("tenure_days") or 0)


async def test_an_imports_customers_are_as_well_known_as_written_ones(bank: Suite) -> None:
    born = date(1988, 5, 1)
    await load(
        bank, "customers", customer_id="c1", party_type="person", birth_date=born, org_path="bank/e"
    )
    said = {"purpose": "marketing", "state": "granted", "text_version": "1", "evidence": "a-1"}
    await load(bank, "consents", customer_id="c1", channel="all", at=NOW, **said)
    await load(
        bank, "assessments", customer_id="c1", risk_class=pa.scalar(3, pa.int32()), assessed_at=NOW
    )
    await bank.settle()

    served = await bank.get("/customers/c1/features")
    known = await bank.known("c1")
    assert known.features == known_among(served["features"])
    assert known.number("age") == 37
    assert (known.org_path, known.risk_class) == ("bank/e", 3)
    assert has_consent(known.consents, "marketing", "sms")


async def load(suite: Suite, kind: str, **row: Any) -> None:
    """Import one row, as a data platform does, and let profile take it in."""
    sink = io.BytesIO()
    table = pa.Table.from_pylist([row])
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    answer = await suite.http.post(
        f"/v1/{kind}:import",
        content=sink.getvalue(),
        headers={**EVERYTHING, "Idempotency-Key": kind},
    )
    assert answer.status_code == 202, answer.text
    while await suite.services["profile"].step():
        pass
    job = await suite.get(f"/jobs/{answer.json()['job_id']}")
    assert (job["state"], job["accepted"]) == ("completed", 1), job


async def test_p2_a_contact_needs_the_consent_that_profile_has_now(suite: Suite) -> None:
    await ready(suite)
    await consent(suite, "withdrawn")
    await publish(suite)  # strategy has not read it: its own copy says granted still

    assert (await suite.known("c1")).consents[0].is_granted
    assert (await reserve(suite))["code"] == "consent_missing"

    await consent(suite, "granted", at=(NOW + timedelta(minutes=1)).isoformat())
    await publish(suite)
    assert (await reserve(suite))["state"] == "reserved"


async def test_p2_a_change_of_a_purpose_ends_older_consents_at_its_instant_everywhere(
    bank: Suite,
) -> None:
    await ready(bank)
    [text] = (await redefine(bank, "2026-07"))["texts"]
    await bank.settle()  # all have heard of it; nothing has changed yet
    begin = datetime.fromisoformat(text["lapses_at"])

    bank.move_to(begin - timedelta(seconds=1))
    assert await decide(bank)
    bank.move_to(begin)  # no worker does anything from here on
    page = await bank.call("POST", "/decisions", {"customer_id": "c1", "channel": "app"})
    assert (page["propositions"], page["cause"]) == ([], "consent_missing")
    assert (await reserve(bank))["code"] == "consent_missing"
    assert (await bank.known("c1")).consents[0].is_granted

    await bank.settle()
    assert not (await bank.known("c1")).consents[0].is_granted
    bank.move_to(begin + timedelta(hours=1))
    await consent(bank, "granted", text_version="2026-07")
    await bank.settle()
    assert await decide(bank)
    await bank.check()


async def test_p3_while_a_withdrawal_is_not_published_nothing_is_sent(suite: Suite) -> None:
    await ready(suite)
    await consent(suite, "withdrawn")

    assert (await reserve(suite))["code"] == "consent_unknown"
    assert (await reserve(suite, purpose="service"))["state"] == "reserved"


async def publish(suite: Suite) -> None:
    """Let profile's sequencer pass, and nobody read."""
    async with suite.services["profile"].database.connection() as connection:
        await sequence(connection)


async def test_p2_no_record_is_no_consent(suite: Suite) -> None:
    await person(suite)
    await suite.settle()

    assert (await reserve(suite))["code"] == "consent_missing"


async def test_p3_nothing_is_sent_while_profile_is_down(suite: Suite) -> None:
    await ready(suite)
    suite.gateway.down.add("profile")

    assert (await reserve(suite))["code"] == "consent_unknown"
    assert (await reserve(suite, purpose="service"))["state"] == "reserved"

    suite.gateway.down.clear()
    assert (await reserve(suite))["state"] == "reserved"
