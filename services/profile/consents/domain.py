"""Consents: what a customer allows, per purpose and channel (statements P2, P3, P8).

No statement means no. A refusal for all channels binds every channel; a permission for all
channels does not undo a refusal on one of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.profile.purposes.domain import AHEAD, Lapse, Purpose
from shared.errors import Invalid


class State(StrEnum):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Channel(StrEnum):
    ALL = "all"
    APP = "app"
    SMS = "sms"
    WECHAT = "wechat"
    RM = "rm"
    REMOTE_BANK = "remote_bank"
    BRANCH = "branch"
    OUTBOUND = "outbound"
    EMAIL = "email"


class ConsentAhead(Invalid):
    code = "consent_ahead"
    title = "A customer's word cannot lie in the future"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of a customer's will, with the text it answers and its evidence."""

    purpose: Purpose
    channel: Channel
    state: State
    text_version: str
    at: datetime
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Where a customer stands now for one purpose on one channel."""

    purpose: Purpose
    channel: Channel
    state: State
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """Choices that hold unless the customer says otherwise (PIPL Art. 24)."""

    personalization: bool = True
    automated_decisions: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Consents:
    """All a customer allows now.

    `customer_id` is the survivor's; `merged_at` when a record was last merged into it.
    """

    customer_id: str
    merged_at: datetime | None = None
    consents: tuple[Consent, ...]
    preferences: Preferences

    @property
    def personalization(self) -> bool:
        """The switch is on and personalised recommendation was not refused."""
        return self.preferences.personalization and not any(
            each.purpose is Purpose.PERSONALIZATION
            and each.channel is Channel.ALL
            and each.state is State.WITHDRAWN
            for each in self.consents
        )


def applied(current: Iterable[Consent], statement: Statement) -> list[Consent]:
    """Return the consents that a statement changes, as they stand after it.

    A statement older than what is known of its channel changes nothing there; at the same
    instant a refusal wins.
    """
    known = {each.channel: each for each in current if each.purpose == statement.purpose}
    channels = {statement.channel}
    if statement.channel is Channel.ALL and statement.state is State.WITHDRAWN:
        channels |= set(known)
    return [
        Consent(purpose=statement.purpose, channel=channel, state=statement.state, at=statement.at)
        for channel in sorted(channels)
        if _supersedes(statement, known.get(channel)) and not _is_overruled(statement, known)
    ]


def speaks_for_all(statement: Statement, merged_at: datetime | None) -> bool:
    """Tell whether a statement binds all records of a party.

    A permission given before they were merged was one record's alone; it is kept, and changes
    nothing. A refusal always binds (statement L9: a merge never loosens consent).
    """
    return statement.state is State.WITHDRAWN or merged_at is None or statement.at >= merged_at


def lapse_of(lapse: Lapse) -> Statement:
    """Return what is recorded of whoever consented to what a purpose no longer means."""
    return Statement(
        purpose=lapse.purpose,
        channel=Channel.ALL,
        state=State.WITHDRAWN,
        text_version=lapse.text_version,
        at=lapse.before,
        evidence=f"consent-purposes/{lapse.purpose}/texts/{lapse.text_version}",
    )


def counted(found: Consents, lapses: Iterable[Lapse]) -> Consents:
    """Return consents without those that do not count any more, on record or not yet.

    Args:
        found: where a customer stands.
        lapses: that are in force.
    """
    standing = {(each.purpose, each.channel): each for each in found.consents}
    for lapse in lapses:
        if any(is_outdated(each, lapse) for each in standing.values()):
            now = applied(standing.values(), lapse_of(lapse))
            standing |= {(each.purpose, each.channel): each for each in now}
    return replace(found, consents=tuple(standing[key] for key in sorted(standing)))


def is_outdated(said: Consent | Statement, lapse: Lapse) -> bool:
    """Tell whether a permission was given to what a purpose no longer means."""
    is_granted = said.state is State.GRANTED
    return is_granted and said.purpose is lapse.purpose and said.at <= lapse.before


def check_time(statement: Statement, now: datetime) -> None:
    """Refuse a statement of a time that has not come, five minutes of clock skew aside.

    Raises:
        ConsentAhead: says when it is now.
    """
    if statement.at > now + AHEAD:
        raise ConsentAhead(f"at {statement.at} lies ahead of {now}")


def _supersedes(statement: Statement, known: Consent | None) -> bool:
    if known is None or statement.at > known.at:
        return True
    refuses = statement.state is State.WITHDRAWN and known.state is State.GRANTED
    return statement.at == known.at and refuses


def _is_overruled(statement: Statement, known: Mapping[Channel, Consent]) -> bool:
    """Tell whether a permission came before a refusal for all channels that is known already."""
    overall = known.get(Channel.ALL)
    return (
        statement.state is State.GRANTED
        and overall is not None
        and overall.state is State.WITHDRAWN
        and overall.at >= statement.at
    )
