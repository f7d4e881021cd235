"""Every reason why nothing may be sold is named, not only the first one."""

from dataclasses import fields, replace
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.strategy.customers.domain import Complaints, Consent, Customer, Flags
from services.strategy.parts.domain import Moment, restraints_of
from services.strategy.suppressions.domain import Scope, Suppression
from tests.strategy.bank import NOW
from tests.strategy.builders import SHANGHAI

AT = Moment(now=NOW, today=NOW.date(), zone=SHANGHAI)
AGREED = Customer(
    id="c1", consents=(Consent(purpose="marketing", channel="all", is_granted=True, at=NOW),)
)
RAISED = [field.name for field in fields(Flags) if field.name != "minor_until"]


def codes(customer: Customer, at: Moment = AT) -> tuple[list[str], dict[str, str | None]]:
    found = restraints_of(customer, ["rm", "sms"], rest_days=90, at=at)
    return [each.code for each in found.everywhere], {
        channel: refusal and refusal.code for channel, refusal in found.channels.items()
    }


def test_nothing_restrains_us_with_a_customer_who_agreed() -> None:
    assert codes(AGREED) == ([], {"rm": None, "sms": None})


@given(st.sets(st.sampled_from(RAISED)), st.booleans(), st.integers(0, 2))
def test_b12_each_flag_is_a_reason_of_its_own(
    raised: set[str], is_minor: bool, complaints: int
) -> None:
    flags = Flags(**dict.fromkeys(raised, True), minor_until=date(2030, 1, 1) if is_minor else None)
    customer = replace(AGREED, flags=flags, complaints=Complaints(open=complaints))

    everywhere, _ = codes(customer)

    assert len(everywhere) == len(raised) + is_minor + bool(complaints)


def test_consent_and_cool_offs_bind_their_channels() -> None:
    until = NOW + timedelta(days=3)
    sms = Suppression(scope=Scope.CHANNEL, key="sms", until=until, code="refused")
    fund = Suppression(scope=Scope.PRODUCT, key="fund", until=until, code="refused")

    assert codes(replace(AGREED, consents=())) == (
        [],
        {"rm": "consent_missing", "sms": "consent_missing"},
    )
    assert codes(replace(AGREED, suppressions=(sms, fund))) == (
        [],
        {"rm": None, "sms": "suppressed"},
    )
    assert codes(AGREED, replace(AT, is_current=False))[1]["rm"] == "consent_unknown"
    assert codes(AGREED, replace(AT, is_reachable=False))[1]["rm"] == "not_contactable"
