from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.profile.needs.domain import Goal, Need, NeedKind, NoSuchGoal, NoSuchNeed
from services.profile.needs.tables import GoalRow, NeedRow


async def put_need(session: AsyncSession, customer_id: str, need: Need) -> None:
    """State a need anew."""
    await _put(session, NeedRow, {"customer_id": customer_id, **asdict(need)}, "need_id")


async def put_goal(session: AsyncSession, customer_id: str, goal: Goal) -> None:
    """State a goal anew."""
    await _put(session, GoalRow, {"customer_id": customer_id, **asdict(goal)}, "goal_id")


async def remove_need(session: AsyncSession, records: Sequence[str], need_id: str) -> None:
    """Delete a need.

    Raises:
        NoSuchNeed: the customer has none of this id.
    """
    statement = (
        delete(NeedRow)
        .where(NeedRow.customer_id.in_(records), NeedRow.need_id == need_id)
        .returning(NeedRow.need_id)
    )
    if not (await session.scalars(statement)).all():
        raise NoSuchNeed(f"No need {need_id}")


async def remove_goal(session: AsyncSession, records: Sequence[str], goal_id: str) -> None:
    """Delete a goal.

    Raises:
        NoSuchGoal: the customer has none of this id.
    """
    statement = (
        delete(GoalRow)
        .where(GoalRow.customer_id.in_(records), GoalRow.goal_id == goal_id)
        .returning(GoalRow.goal_id)
    )
    if not (await session.scalars(statement)).all():
        raise NoSuchGoal(f"No goal {goal_id}")


async def list_needs(
    session: AsyncSession,
    records: Sequence[str],
    *,
    kinds: Sequence[NeedKind],
    after: str,
    limit: int,
) -> list[Need]:
    """Return the needs of a customer's records by id, each once, from beyond `after`."""
    statement = (
        select(NeedRow)
        .ext(distinct_on(NeedRow.need_id))
        .where(NeedRow.customer_id.in_(records), NeedRow.kind.in_(kinds), NeedRow.need_id > after)
        .order_by(NeedRow.need_id, NeedRow.customer_id != records[0], NeedRow.customer_id)
        .limit(limit)
    )
    return [_to_need(row) for row in await session.scalars(statement)]


async def list_goals(
    session: AsyncSession, records: Sequence[str], *, after: str, limit: int
) -> list[Goal]:
    """Return the goals of a customer's records by id, each once, from beyond `after`."""
    statement = (
        select(GoalRow)
        .ext(distinct_on(GoalRow.goal_id))
        .where(GoalRow.customer_id.in_(records), GoalRow.goal_id > after)
        .order_by(GoalRow.goal_id, GoalRow.customer_id != records[0], GoalRow.customer_id)
        .limit(limit)
    )
    return [Goal(**_values(row, Goal)) for row in await session.scalars(statement)]


async def _put(
    session: AsyncSession, row: type[NeedRow | GoalRow], values: dict[str, Any], id_column: str
) -> None:
    key = ("customer_id", id_column)
    statement = insert(row).values(**values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=key,
            set_={name: value for name, value in values.items() if name not in key},
        )
    )


def _to_need(row: NeedRow) -> Need:
    values: dict[str, Any] = {**_values(row, Need), "kind": NeedKind(row.kind)}
    return Need(**values)


def _values(row: NeedRow | GoalRow, kind: type[Need | Goal]) -> dict[str, Any]:
    return {field.name: getattr(row, field.name) for field in fields(kind)}
