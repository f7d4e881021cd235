"""What may be done with needs and goals; an open goal fills its items of the KYC card."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.customers import service as customers
from services.profile.features import service as features
from services.profile.needs import repository
from services.profile.needs.domain import (
    Goal,
    Need,
    UnknownGoal,
    UnknownNeed,
    check_stated,
    shown_to,
)
from services.profile.vocabulary import goals, needs
from shared.clock import BusinessClock
from shared.database import raw_connection
from shared.errors import FieldError
from shared.tokens import Token


async def put_need(
    session: AsyncSession, customer_id: str, need: Need, *, token: Token, clock: BusinessClock
) -> None:
    """State a need anew.

    Raises:
        UnknownNeed: the catalogue has no such code.
        StatedAhead: nobody can have said it yet.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    if need.code not in needs():
        raise UnknownNeed(
            f"There is no need {need.code}",
            errors=[FieldError("/code", f"one of {', '.join(needs())}")],
        )
    check_stated(need.stated_at, clock.now())
    party = await customers.hold(session, customer_id, token)
    await repository.put_need(session, party.customer_id, need)


async def remove_need(
    session: AsyncSession, customer_id: str, need_id: str, *, token: Token
) -> None:
    """Delete a need that never was.

    Raises:
        NoSuchNeed: the customer has none of this id.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.hold(session, customer_id, token)
    await repository.remove_need(session, party.records, need_id)


async def list_needs(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Need]:
    """Return a customer's needs by id; what the bank believes is not the customer's to read."""
    party = await customers.must_see(session, customer_id, token)
    kinds = shown_to(is_customer=token.customer is not None)
    return await repository.list_needs(
        session, party.records, kinds=kinds, after=after, limit=limit
    )


async def put_goal(
    session: AsyncSession, customer_id: str, goal: Goal, *, token: Token, clock: BusinessClock
) -> str | None:
    """State a goal anew; return the last event's id.

    Raises:
        UnknownGoal: the catalogue has no such kind.
        StatedAhead: nobody can have said it yet.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    if goal.kind not in goals():
        raise UnknownGoal(
            f"There is no goal {goal.kind}",
            errors=[FieldError("/kind", f"one of {', '.join(goals())}")],
        )
    check_stated(goal.stated_at, clock.now())
    survivor = (await customers.hold(session, customer_id, token)).customer_id
    await repository.put_goal(session, survivor, goal)
    return await features.refresh(await raw_connection(session), [survivor], clock)


async def remove_goal(
    session: AsyncSession, customer_id: str, goal_id: str, *, token: Token, clock: BusinessClock
) -> str | None:
    """Delete a goal that never was; return the last event's id.

    Raises:
        NoSuchGoal: the customer has none of this id.
        NoSuchCustomer: there is none, or it is not the token's to see.
    """
    party = await customers.hold(session, customer_id, token)
    await repository.remove_goal(session, party.records, goal_id)
    return await features.refresh(await raw_connection(session), [party.customer_id], clock)


async def list_goals(
    session: AsyncSession, customer_id: str, *, token: Token, after: str, limit: int
) -> list[Goal]:
    """Return a customer's goals by id."""
    party = await customers.must_see(session, customer_id, token)
    return await repository.list_goals(session, party.records, after=after, limit=limit)
