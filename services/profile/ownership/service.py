"""Handing customers over: proposed by one, accepted by another, carried out on its day."""

from dataclasses import replace

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.customers.domain import Ownership
from services.profile.ownership import domain, repository
from services.profile.ownership.domain import Decision, HandOver, State
from services.profile.vocabulary import ownership
from shared.clock import BusinessClock
from shared.database import Database, raw_connection
from shared.errors import Conflict, FieldError
from shared.tokens import Token

AT_ONCE = 200


async def propose(
    connection: asyncpg.Connection, wanted: HandOver, *, clock: BusinessClock
) -> HandOver:
    """Propose a hand-over; the same again stays the one it is.

    Raises:
        SameManager, BadTerm, UnknownHandOverReason: see `domain.check`.
        Conflict: the id was used for another one.
    """
    domain.check(wanted, reasons=frozenset(ownership().reasons), today=clock.today())
    known = await repository.find(connection, wanted.hand_over_id)
    if known is not None:
        if _asked(known) != _asked(wanted):
            raise Conflict(f"{wanted.hand_over_id} is another one", code="hand_over_differs")
        return known
    await repository.put(connection, wanted)
    return wanted


async def accept(
    connection: asyncpg.Connection, hand_over_id: str, *, token: Token, clock: BusinessClock
) -> HandOver:
    """Accept a hand-over, which settles a dispute too; it is carried out on its day.

    Raises:
        NoSuchHandOver: there is none, or it is not the token's to see.
        SecondPersonNeeded, HandOverSettled: see `domain.accepted`.
    """
    hand_over = await repository.get(connection, hand_over_id, token)
    return await _put(connection, domain.accepted(hand_over, _decision(token, clock)))


async def dispute(
    connection: asyncpg.Connection,
    hand_over_id: str,
    why: str,
    *,
    token: Token,
    clock: BusinessClock,
) -> HandOver:
    """Object to a hand-over.

    Raises:
        NoSuchHandOver: there is none, or it is not the token's to see.
        UnknownHandOverReason: the catalogue does not name why.
        HandOverSettled: it is not proposed any more.
    """
    known = ownership().disputes
    if why not in known:
        raise domain.UnknownHandOverReason(
            f"The reasons are {', '.join(sorted(known))}",
            errors=[FieldError("/why", "unknown reason")],
        )
    hand_over = await repository.get(connection, hand_over_id, token)
    return await _put(connection, domain.disputed(hand_over, why, _decision(token, clock)))


async def cancel(
    connection: asyncpg.Connection, hand_over_id: str, *, token: Token, clock: BusinessClock
) -> HandOver:
    """Call a hand-over off.

    Raises:
        NoSuchHandOver: there is none, or it is not the token's to see.
        HandOverSettled: it is in effect, or over.
    """
    hand_over = await repository.get(connection, hand_over_id, token)
    return await _put(connection, domain.cancelled(hand_over, _decision(token, clock)))


async def history_of(session: AsyncSession, customer_id: str, token: Token) -> list[Ownership]:
    """Return who looked after a customer, latest first.

    Raises:
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.must_see(session, customer_id, token)
    return await customers.ownerships_of(await raw_connection(session), party.customer_id)


async def step(database: Database, clock: BusinessClock) -> bool:
    """Move some customers of a hand-over whose day has come; tell whether there was one."""
    async with database.transaction() as connection:
        hand_over = await repository.find_due(connection, clock.today())
        if hand_over is None:
            return False
        state = domain.next_state(hand_over, clock.today())
        move = _return if state is State.RETURNED else _hand
        moved, is_done = await move(connection, hand_over, clock)
        if is_done and state is not None:
            hand_over = replace(hand_over, state=state)
        await repository.put(connection, replace(hand_over, handed=hand_over.handed + moved))
    return True


async def _hand(
    connection: asyncpg.Connection, hand_over: HandOver, clock: BusinessClock
) -> tuple[int, bool]:
    ids = await repository.list_to_hand(connection, hand_over, limit=AT_ONCE)
    await customers.set_managers(
        connection,
        dict.fromkeys(ids, hand_over.to_rm),
        by=hand_over.hand_over_id,
        clock=clock,
    )
    if hand_over.is_substitution:
        await repository.note_handed(connection, hand_over, ids)
    return len(ids), len(ids) < AT_ONCE


async def _return(
    connection: asyncpg.Connection, hand_over: HandOver, clock: BusinessClock
) -> tuple[int, bool]:
    handed = await repository.take_back(connection, hand_over, limit=AT_ONCE)
    paths = {each.customer_id: domain.passed_on(hand_over, each) for each in handed}
    passed = [(customer_id, by) for customer_id, path in paths.items() for by in path or ()]
    ids = [customer_id for customer_id, path in paths.items() if path is not None]
    await repository.forget_handed(
        connection, [customer_id for customer_id, _ in passed], [by for _, by in passed]
    )
    await customers.set_managers(
        connection,
        dict.fromkeys(ids, hand_over.from_rm),
        by=hand_over.hand_over_id,
        clock=clock,
    )
    return 0, len(handed) < AT_ONCE


async def _put(connection: asyncpg.Connection, hand_over: HandOver) -> HandOver:
    await repository.put(connection, hand_over)
    return hand_over


def _decision(token: Token, clock: BusinessClock) -> Decision:
    return Decision(by=token.author, at=clock.now())


def _asked(hand_over: HandOver) -> tuple[object, ...]:
    names = ("from_rm", "to_rm", "org", "customers", "reason", "since", "until")
    return tuple(getattr(hand_over, name) for name in names)
