"""The shipped catalogue becomes rows of the bank's own on the first start."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.segment.attributes import repository
from services.segment.attributes import service as attributes
from services.segment.attributes.domain import AttributeEntry, Owner
from services.segment.clusterings.domain.clustering import clustering_of
from services.segment.clusterings.domain.describing import Label, Words
from services.segment.clusterings.service import definitions as clusterings
from services.segment.rfm import service as rfm
from services.segment.scales import repository as scale_repository
from services.segment.scales import service as scales
from services.segment.scales.domain import Scale, ScaleLevel
from services.segment.scores import repository as score_repository
from services.segment.scores import service as scores
from services.segment.scores.domain.definitions import Score
from services.segment.scores.schemas import ScoreUpdate
from services.segment.segments import service as segments
from services.segment.segments.domain import SegmentDraft
from shared.database import Database
from shared.logging import log
from shared.rules import AttributeType

_LOCK = 0x_5E_ED  # both processes of the service start at once

Entry = Mapping[str, Any]


async def seed(database: Database, folder: Path, *, now: datetime) -> None:
    """Store the files of `folder`, unless the bank has a catalogue already that has all kinds."""
    async with database.sessions() as session, session.begin():
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        if not await score_repository.list_scores(session, limit=1):
            await _store(session, folder, now=now)
            log.info("catalogue_seeded")


async def _store(session: AsyncSession, folder: Path, *, now: datetime) -> None:
    """Store what is shipped; a bank from before there were scores keeps what it has."""
    is_new = await repository.catalogue_version(session) == 0
    declared = {entry.name for entry in await repository.list_entries(session)}
    held = {scale.key: scale for scale in await scale_repository.list_scales(session)}
    entries = map(attribute_of, _read(folder, "attributes"))
    await attributes.seed(session, [e for e in entries if e.name not in declared], now=now)
    if is_new:
        await rfm.seed(session, _read(folder, "rfm"), now=now)
    shipped = map(scale_of, _read(folder, "scales"))
    await scales.seed(session, [held.get(scale.key, scale) for scale in shipped], now=now)
    await scores.seed(session, map(score_of, _read(folder, "scores")), now=now)
    if is_new:
        await segments.seed(session, map(_segment, _read(folder, "groups")), now=now)
    grouped = map(clustering_of, _read(folder, "clusterings")["clusterings"])
    await clusterings.seed(session, grouped, now=now)


def _read(folder: Path, name: str) -> Any:
    return yaml.safe_load((folder / f"{name}.yaml").read_text(encoding="utf-8"))


def read_words(folder: Path) -> Words:
    """How clusters are named: `clusterings.yaml`, `naming`."""
    naming = _read(folder, "clusterings")["naming"]
    labels = {name: Label(**naming[name]) for name in ("high", "low", "average", "between")}
    return Words(most=naming["most"], from_z=naming["from_z"], **labels)


def attribute_of(entry: Entry) -> AttributeEntry:
    """An entry of `attributes.yaml`."""
    return AttributeEntry(
        name=entry["name"],
        owner=Owner(entry["owner"]),
        type=AttributeType(entry["type"]),
        zh=entry["zh"],
        en=entry["en"],
        unit=entry.get("unit") or "",
        definition=entry.get("definition", ""),
        values=tuple(entry.get("values", ())),
        sensitive=entry.get("sensitive", False),
    )


def scale_of(entry: Entry) -> Scale:
    """An entry of `scales.yaml`."""
    columns = {
        column: tuple(map(_level, entry[column]))
        for column in ("retail", "corporate")
        if entry.get(column)
    }
    return Scale(
        key=entry["key"],
        zh=entry["zh"],
        en=entry["en"],
        where=entry.get("where"),
        down_after_month_ends=entry.get("hysteresis", {}).get("down_after_month_ends"),
        separate_consent=entry.get("separate_consent", False),
        columns=columns,
    )


def score_of(entry: Entry) -> Score:
    """An entry of `scores.yaml`: a key, and what a bank could put there."""
    given = {name: value for name, value in entry.items() if name != "key"}
    return ScoreUpdate.model_validate(given).to_domain(entry["key"])


def _level(entry: Entry) -> ScaleLevel:
    aim = entry.get("aim", {})
    return ScaleLevel(
        key=entry["key"],
        zh=entry["zh"],
        en=entry["en"],
        rule=entry["rule"],
        aim_zh=aim.get("zh"),
        aim_en=aim.get("en"),
    )


def _segment(entry: Entry) -> SegmentDraft:
    return SegmentDraft(
        key=entry["key"],
        zh=entry["zh"],
        en=entry["en"],
        rule=entry["rule"],
        family=entry.get("family", ""),
        separate_consent=entry.get("separate_consent", False),
    )
