from datetime import UTC, datetime, timedelta

import pytest

from services.profile.disclosures import domain
from services.profile.disclosures.domain import (
    Disclosure,
    DisclosureClosed,
    DisclosureDecided,
    NotSharable,
    State,
    UnknownRecipient,
)
from shared.errors import SecondPersonNeeded

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def asked() -> Disclosure:
    return Disclosure(
        disclosure_id="d1", state=State.ASKED, recipient=None, data=("phone",), org=None,
        purpose="delivery", asked_at=NOW, asked_by="s-1",
    )  # fmt: skip


def approved() -> Disclosure:
    return domain.decided(asked(), State.APPROVED, by="s-2", at=NOW)


def test_p16_another_person_decides_and_once() -> None:
    with pytest.raises(SecondPersonNeeded, match="s-1"):
        domain.decided(asked(), State.APPROVED, by="s-1", at=NOW)
    with pytest.raises(DisclosureDecided, match="approved"):
        domain.decided(approved(), State.REFUSED, by="s-2", at=NOW)
    assert (approved().decided_by, approved().decided_at) == ("s-2", NOW)


def test_p16_only_what_was_approved_is_open_and_for_a_day() -> None:
    domain.check_open(approved(), NOW + timedelta(hours=24))
    with pytest.raises(DisclosureClosed, match="24 hours"):
        domain.check_open(approved(), NOW + timedelta(hours=24, seconds=1))
    for closed in (asked(), domain.decided(asked(), State.REFUSED, by="s-2", at=NOW)):
        with pytest.raises(DisclosureClosed):
            domain.check_open(closed, NOW)


def test_p6_only_named_recipients_and_sharable_data() -> None:
    known = {"recipients": {"insurer"}, "sharable": ("name", "phone")}
    domain.check_words("insurer", ["name"], **known)  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnknownRecipient):
        domain.check_words("stranger", ["name"], **known)  # pyright: ignore[reportArgumentType]
    with pytest.raises(NotSharable, match="name, phone") as refused:
        domain.check_words(None, ["name", "aum"], **known)  # pyright: ignore[reportArgumentType]
    assert [each.pointer for each in refused.value.errors] == ["/data/1"]
