"""Learning: each proposition once, from its final label; a correction restates it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import asyncpg

from services.strategy.propensities import repository
from services.strategy.propensities.domain import (
    Evidence,
    Label,
    Lesson,
    PropensityRules,
    learnt,
)
from services.strategy.propensities.repository import StoredLabel


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A proposition and the label that its outcomes amount to (None: nothing learnt)."""

    customer_id: str
    proposition_id: str
    treatment: str
    category: str | None
    goal_metric: str
    channel: str
    label: Label | None
    day: date


async def learn(
    connection: asyncpg.Connection, labelled: Sequence[Labelled], rules: PropensityRules
) -> None:
    """Learn what is new of these labels, in one version."""
    version = await repository.lock_head(connection)
    lessons = [lesson for item in labelled for lesson in await _restate(connection, item)]
    if not lessons:
        return
    touched = sorted({lesson.treatment for lesson in lessons})
    known = await repository.list_evidence(connection, version, treatments=touched)
    counts: dict[str, Evidence] = {evidence.treatment: evidence for evidence in known}
    for lesson in lessons:
        counts[lesson.treatment] = learnt(counts.get(lesson.treatment), lesson, rules)
    await repository.add_evidence(connection, version + 1, [counts[name] for name in touched])


async def _restate(connection: asyncpg.Connection, item: Labelled) -> list[Lesson]:
    """Store the label; return the lesson to take back and the one to add."""
    before = await repository.find_label(connection, item.customer_id, item.proposition_id)
    if before is None and item.label is None:
        return []
    if before is not None and (before.label, before.day) == (item.label, item.day):
        return []
    lessons = [] if before is None else [_lesson(item, before.label, before.day, weight=-1)]
    if item.label is not None:
        await repository.set_label(
            connection,
            StoredLabel(
                customer_id=item.customer_id,
                proposition_id=item.proposition_id,
                treatment=item.treatment,
                label=item.label,
                day=item.day,
            ),
        )
        return [*lessons, _lesson(item, item.label, item.day)]
    if before is not None:
        await repository.drop_label(connection, before)
    return lessons


def _lesson(item: Labelled, label: Label, day: date, *, weight: int = 1) -> Lesson:
    return Lesson(
        treatment=item.treatment,
        category=item.category,
        goal_metric=item.goal_metric,
        channel=item.channel,
        label=label,
        day=day,
        weight=weight,
    )
