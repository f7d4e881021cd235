from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.scores.domain.definitions import Absent, Part, Score
from services.segment.scores.tables import ScoreRow
from shared.errors import NotFound


async def get(session: AsyncSession, key: str, *, lock: bool = False) -> Score:
    """The score of this key; `lock` keeps others from changing it."""
    row = await session.get(ScoreRow, key, with_for_update=lock)
    if row is None:
        raise NotFound(f"No score {key}")
    return _to_score(row)


async def list_scores(
    session: AsyncSession, *, after: str = "", limit: int | None = None
) -> list[Score]:
    """Scores by key."""
    statement = select(ScoreRow).where(ScoreRow.key > after).order_by(ScoreRow.key).limit(limit)
    return [_to_score(row) for row in await session.scalars(statement)]


async def save(session: AsyncSession, score: Score, *, at: datetime) -> None:
    """Add or replace a score."""
    columns = {column: [asdict(part) for part in parts] for column, parts in score.columns.items()}
    changes = {"columns": columns, "needs": list(score.needs), "changed_at": at}
    values = asdict(score) | changes
    statement = insert(ScoreRow).values(values)
    await session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=values))


def _to_score(row: ScoreRow) -> Score:
    columns = {column: tuple(map(_to_part, parts)) for column, parts in row.columns.items()}
    return Score(
        key=row.key,
        zh=row.zh,
        en=row.en,
        unit=row.unit,
        needs=tuple(row.needs),
        separate_consent=row.separate_consent,
        columns=dict(sorted(columns.items(), reverse=True)),  # retail first
        version=row.version,
    )


def _to_part(values: dict[str, Any]) -> Part:
    return replace(Part(**values), missing=Absent(values["missing"]))
