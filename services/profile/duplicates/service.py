"""Deciding whether two records are one party: always a person."""

import asyncpg

from services.profile.duplicates import repository
from services.profile.duplicates.domain import (
    Decision,
    Duplicate,
    DuplicateState,
    check_refusal,
    must_change,
)
from services.profile.merges import service as merges
from services.profile.merges.service import Wanted
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
    """Merge two records that are one party, which goes on as the survivor.

    Raises:
        Conflict: they cannot be merged, see `merges.service.merge`.
        PersonNeeded: no member of staff stands behind the call.
        NoSuchDuplicate: there is none, or it is not the token's to see.
        NotOfThePair: the survivor is none of the two.
        DuplicateDecided: it was decided otherwise before.
    """
    decision = Decision(
        state=DuplicateState.CONFIRMED,
        actor=token.person(),
        at=clock.now(),
        survivor=survivor,
    )
    duplicate = await repository.get(connection, duplicate_id, token=token, lock=True)
    if must_change(duplicate, decision):
        other = duplicate.other_id if survivor == duplicate.customer_id else duplicate.customer_id
        wanted = Wanted(customer_id=survivor, merged=other, reason=f"duplicate {duplicate_id}")
        await merges.merge(connection, wanted, token=token, clock=clock)
        await repository.decide(connection, duplicate, decision)
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
        state=DuplicateState.REFUSED, actor=token.person(), at=clock.now(), reason=reason
    )
    duplicate = await repository.get(connection, duplicate_id, token=token, lock=True)
    if must_change(duplicate, decision):
        await repository.decide(connection, duplicate, decision)
    return await repository.get(connection, duplicate_id, token=token)
