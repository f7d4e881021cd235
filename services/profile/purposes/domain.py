"""What consents are asked for (授权目的): the text of each purpose, and when older answers lapse.

A text is told ahead of its time: no statement recorded before it was accepted can be later than
its `since`, and every reader has heard of it before it takes effect. So whether a consent counts
is told by two moments alone, when it was given and when it is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Conflict, FieldError, Invalid, NotFound, SecondPersonNeeded

AHEAD = timedelta(minutes=5)
"""As far as clocks may differ: a statement may be of so late a time."""
NOTICE = 2 * AHEAD
"""As long as a text is told before it begins: longer than clocks differ and a request lasts."""


class Purpose(StrEnum):
    MARKETING = "marketing"
    PROFILING = "profiling"
    PERSONALIZATION = "personalization"
    THIRD_PARTY_SHARING = "third_party_sharing"


class State(StrEnum):
    PROPOSED = "proposed"
    ACCEPTED = "accepted"


class NoSuchPurpose(NotFound):
    code = "no_such_purpose"


class NoSuchText(NotFound):
    code = "no_such_consent_text"


class TextInUse(Conflict):
    code = "consent_text_in_use"
    title = "A text that was accepted is not changed"


class TextOutdated(Conflict):
    code = "consent_text_outdated"
    title = "The text means something else than the purpose does now"


class NoConsentAsked(Invalid):
    code = "no_consent_asked"
    title = "Nothing of this purpose rests on a consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a purpose means, in the words that customers are shown.

    In use from beyond `since`. If it `needs_new_consent`, consents given until then stop counting
    at `lapses_at`; `lapsed` counts the customers whose consent was withdrawn for it so far, and
    `lapsed_at` is when the last one was.
    """

    purpose: Purpose
    text_version: str
    meaning_zh: str
    meaning_en: str
    needs_new_consent: bool
    since: datetime
    lapses_at: datetime | None
    state: State
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    lapsed: int = 0
    lapsed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """Consents to a purpose given at `before` or earlier do not count from `at` on."""

    purpose: Purpose
    text_version: str
    before: datetime
    at: datetime


def purpose_of(key: str) -> Purpose:
    """Return the purpose of this name.

    Raises:
        NoSuchPurpose: names those there are.
    """
    try:
        return Purpose(key)
    except ValueError:
        raise NoSuchPurpose(f"The purposes are {', '.join(Purpose)}") from None


def check(wanted: Text, texts: Sequence[Text]) -> None:
    """Refuse a proposal that cannot come into use.

    Args:
        wanted: the next text of a purpose.
        texts: the purpose's own.

    Raises:
        NoConsentAsked: consents would lapse where customers only object.
        TextInUse: its version was accepted before.
    """
    if wanted.needs_new_consent and wanted.purpose is Purpose.PERSONALIZATION:
        raise NoConsentAsked(
            "Customers switch personalisation off; no consent to it can lapse",
            errors=[FieldError("/needs_new_consent", "does not fit personalization")],
        )
    if any(each.text_version == wanted.text_version for each in _accepted(texts)):
        raise TextInUse(
            f"{wanted.text_version} of {wanted.purpose} is in use; give the new text a new version"
        )


def accepted(text: Text, texts: Sequence[Text], *, by: str, at: datetime) -> Text:
    """Accept a proposal; it begins when it says, and no earlier than `NOTICE` from now.

    Raises:
        SecondPersonNeeded: who proposed it would accept it.
        TextInUse: it was accepted before.
    """
    if text.state is State.ACCEPTED:
        raise TextInUse(f"{text.text_version} of {text.purpose} was accepted before")
    if by == text.proposed_by:
        raise SecondPersonNeeded(f"{by} proposed it; another person has to accept")
    since = max([text.since, at + NOTICE, *(each.since for each in _accepted(texts))])
    return replace(
        text,
        since=since,
        lapses_at=max(text.lapses_at or since, since) if text.needs_new_consent else None,
        state=State.ACCEPTED,
        decided_by=by,
        decided_at=at,
    )


def current(texts: Sequence[Text], now: datetime) -> Text | None:
    """Return the text that customers are shown now, None where the bank has registered none."""
    shown = [each for each in _ordered(texts) if each.since < now]
    return shown[-1] if shown else None


def in_place_of(texts: Sequence[Text], text_version: str, at: datetime) -> Text | None:
    """Return the text that a consent would have had to be given to; None: it counts.

    Texts that were in use since the last one that needed new consent say the same in other words,
    so a consent to any of them counts. Before there is such a one, any text does.
    """
    shown = [each for each in _ordered(texts) if each.since < at]
    last = max((n for n, each in enumerate(shown) if each.needs_new_consent), default=None)
    if last is None or text_version in {each.text_version for each in shown[last:]}:
        return None
    return shown[-1]


def check_grant(texts: Sequence[Text], text_version: str, at: datetime) -> None:
    """Refuse a consent given to a text that had been outdated by then.

    Raises:
        TextOutdated: names the text to show.
    """
    due = in_place_of(texts, text_version, at)
    if due is not None:
        raise TextOutdated(
            f"{text_version} does not say what {due.purpose} means any more; show the customer "
            f"{due.text_version} and record the answer to that",
            errors=[FieldError("/text_version", f"the current one is {due.text_version}")],
        )


def lapses(texts: Sequence[Text]) -> list[Lapse]:
    """Return which consents stop counting when, by the time they were given."""
    return [
        Lapse(
            purpose=each.purpose,
            text_version=each.text_version,
            before=each.since,
            at=each.lapses_at,
        )
        for each in _ordered(texts)
        if each.lapses_at is not None
    ]


def _accepted(texts: Sequence[Text]) -> list[Text]:
    return [each for each in texts if each.state is State.ACCEPTED]


def _ordered(texts: Sequence[Text]) -> list[Text]:
    return sorted(_accepted(texts), key=lambda each: (each.since, each.decided_at or each.since))
