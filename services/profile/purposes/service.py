"""Changing what consents are asked for: proposed by one, accepted by another (P2)."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter

import asyncpg

from services.profile.purposes import domain, repository
from services.profile.purposes.domain import Lapse, NoSuchText, Purpose, State, Text
from shared.clock import BusinessClock
from shared.etag import check_match
from shared.feed.events import NewEvent
from shared.feed.publish import publish_many
from shared.tokens import Token

CHANGED = "profile.consent_purpose_changed.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """A purpose with its texts, the oldest first; `text` is the one in use now."""

    purpose: Purpose
    text: Text | None
    texts: Sequence[Text]

    @property
    def version(self) -> str:
        """Changes with every proposal and decision, not with the progress of a lapse."""
        told = [replace(each, lapsed=0, lapsed_at=None) for each in self.texts]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


async def list_all(connection: asyncpg.Connection, now: datetime) -> list[Meaning]:
    """Return what every purpose means."""
    texts = await repository.list_of(connection, list(Purpose))
    return [_meaning(each, [t for t in texts if t.purpose is each], now) for each in Purpose]


async def get(connection: asyncpg.Connection, purpose: Purpose, now: datetime) -> Meaning:
    """Return what a purpose means."""
    return _meaning(purpose, await repository.list_of(connection, [purpose]), now)


async def propose(
    connection: asyncpg.Connection, wanted: Text, *, if_match: str, now: datetime
) -> Meaning:
    """Propose the next text of a purpose, in place of a proposal that nobody has accepted.

    Raises:
        Stale: `if_match` names another version than the current one.
        NoConsentAsked, TextInUse: see `domain.check`.
    """
    texts = await repository.lock(connection, wanted.purpose)
    check_match(if_match, _meaning(wanted.purpose, texts, now).version)
    domain.check(wanted, texts)
    await repository.put(connection, wanted)
    return await get(connection, wanted.purpose, now)


async def accept(
    connection: asyncpg.Connection,
    purpose: Purpose,
    text_version: str,
    *,
    if_match: str,
    token: Token,
    clock: BusinessClock,
) -> Meaning:
    """Accept a proposal, and tell everybody what will lapse when, before it does.

    Raises:
        PersonNeeded: nobody stands behind the call.
        NoSuchText: the purpose has no such text.
        Stale: `if_match` names another version than the current one.
        SecondPersonNeeded, TextInUse: see `domain.accepted`.
    """
    by = token.person()
    texts = await repository.lock(connection, purpose)
    text = next((each for each in texts if each.text_version == text_version), None)
    if text is None:
        raise NoSuchText(f"{purpose} has no text {text_version}")
    check_match(if_match, _meaning(purpose, texts, clock.now()).version)
    await repository.put(connection, domain.accepted(text, texts, by=by, at=clock.now()))
    meaning = await get(connection, purpose, clock.now())
    await publish_many(connection, [changed(purpose, meaning.texts, clock.now())])
    return meaning


async def check_grant(
    connection: asyncpg.Connection, purpose: Purpose, text_version: str, at: datetime
) -> None:
    """Refuse a consent given to a text that had been outdated by then.

    Raises:
        TextOutdated: see `domain.check_grant`.
    """
    domain.check_grant(await repository.list_of(connection, [purpose]), text_version, at)


async def texts_of_all(connection: asyncpg.Connection) -> list[Text]:
    """Return the texts of every purpose."""
    return await repository.list_of(connection, list(Purpose))


async def lapses_in_force(connection: asyncpg.Connection, now: datetime) -> list[Lapse]:
    """Return which consents do not count any more, by the time they were given."""
    texts = await texts_of_all(connection)
    return [each for each in domain.lapses(texts) if each.at <= now]


async def find_due(connection: asyncpg.Connection, now: datetime) -> tuple[Text, Lapse, str] | None:
    """Return, locked, a text for which consents are to lapse, and the last customer looked at."""
    due = await repository.find_due(connection, now)
    if due is None:
        return None
    text, looked_at = due
    [lapse] = domain.lapses([text])
    return text, lapse, looked_at


async def note_lapsed(
    connection: asyncpg.Connection,
    text: Text,
    *,
    lapsed: int,
    looked_at: str | None,
    done_at: datetime | None,
) -> None:
    """Note how far consents have lapsed for a text; `done_at`: none is left."""
    await repository.note(connection, text, lapsed=lapsed, looked_at=looked_at, done_at=done_at)


def told_of(texts: Sequence[Text]) -> list[NewEvent]:
    """Return the events that tell what purposes mean, of those with an accepted text."""
    kept = [each for each in texts if each.state is State.ACCEPTED and each.decided_at is not None]
    return [
        changed(purpose, own, max(each.decided_at or each.since for each in own))
        for purpose, group in groupby(kept, key=attrgetter("purpose"))
        if (own := list(group))
    ]


def changed(purpose: Purpose, texts: Sequence[Text], at: datetime) -> NewEvent:
    """Return the event that tells which texts a purpose has had, and will have."""
    data = {
        "purpose": purpose,
        "texts": [
            {
                "text_version": each.text_version,
                "since": each.since,
                "needs_new_consent": each.needs_new_consent,
                "lapses_at": each.lapses_at,
            }
            for each in texts
            if each.state is State.ACCEPTED
        ],
    }
    return NewEvent(type=CHANGED, subject=purpose, data=data, at=at, state=True)


def _meaning(purpose: Purpose, texts: Sequence[Text], now: datetime) -> Meaning:
    return Meaning(purpose=purpose, text=domain.current(texts, now), texts=texts)
