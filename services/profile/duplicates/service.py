"""Deciding whether two records are one party: always a person."""

import asyncpg

from services.profile.duplicates import repository
from services.profile.duplicates.domain import (
    Decision,
    Duplicate,
    DuplicateState,
    check_refusal,
    must_change,
    person_of,
)
from services.profile.vocabulary import matching
from shared.clock import BusinessClock
from shared.tokens import Token


async def confirm(
    connection: asyncpg.Connection,
    duplicate_id: str,
    survivor: str,
    *,
    token: Token,
    clock: BusinessClock,
) -> Duplicate:
    """Confirm that two records are one party, which goes on as the survivor.

    Raises:
        PersonNeeded: no member of staff stands behind the call.
        NoSuchDuplicate: there is none, or it is not the token's to see.
        NotOfThePair: the survivor is none of the two.
        DuplicateDecided: it was decided otherwise before.
    """
    decision = Decision(
        state=DuplicateState.CONFIRMED,
        actor=person_of(token.actor),
        at=clock.now(),
        survivor=survivor,
    )
    duplicate = await repository.get(connection, duplicate_id, token=token, lock=True)
    if must_change(duplicate, decision):
        await _make_one(connection, duplicate, decision)
    return await repository.get(connection, duplicate_id, token=token)


async def refuse(
    connection: asyncpg.Connection,
    duplicate_id: str,
    reason: str,
    *,
    token: Token,
    clock: BusinessClock,
) -> Duplicate:
    """Refuse that two records are one party: not proposed again until either bears anything else.

    Raises:
        PersonNeeded: no member of staff stands behind the call.
        UnknownRefusal: the catalogue does not name the reason.
        NoSuchDuplicate: there is none, or it is not the token's to see.
        DuplicateDecided: it was decided otherwise before.
    """
    check_refusal(reason, matching().refusals)
    decision = Decision(
        state=DuplicateState.REFUSED, actor=person_of(token.actor), at=clock.now(), reason=reason
    )
    duplicate = await repository.get(connection, duplicate_id, token=token, lock=True)
    if must_change(duplicate, decision):
        await repository.decide(connection, duplicate, decision)
    return await repository.get(connection, duplicate_id, token=token)


async def _make_one(
    connection: asyncpg.Connection, duplicate: Duplicate, decision: Decision
) -> None:
    """Carry a confirmation out: whatever makes the two records one party happens here."""
    await repository.decide(connection, duplicate, decision)
