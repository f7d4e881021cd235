"""Events of an import, column by column: their form, the lines they are copied by, their sums."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import orjson
import polars as pl

from services.profile.events.domain import COLUMNS, Told
from services.profile.jobs.domain import checks
from services.profile.jobs.domain.jobs import Outcome, Reject, Report, rejected

_NUL = "\\u0000"


@dataclass(frozen=True, slots=True)
class Formed:
    """Events of good form, each with its `place` in the chunk, and the others."""

    events: pl.DataFrame
    rejects: list[Reject]


def formed(batch: pl.DataFrame, required: frozenset[str], *, first: int) -> Formed:
    """Part the events of good form from the others.

    Args:
        batch: one chunk, money in whole fen.
        required: columns that every row fills.
        first: number of its first row in the body.
    """
    frame = batch.with_row_index("place").with_columns(read=_objects(batch["data"]))
    faults = [
        *checks.general(batch.schema, required),
        *checks.event(),
        ("bad_data", pl.col("read") == ""),
    ]
    frame = frame.with_columns(reason=checks.reason(faults), data=pl.col("read")).drop("read")
    bad = frame.filter(pl.col("reason").is_not_null()).select("place", "event_id", "reason")
    return Formed(
        frame.filter(pl.col("reason").is_null()),
        [rejected(first + place, event_id, reason) for place, event_id, reason in bad.rows()],
    )


def lines(events: pl.DataFrame, known: Collection[str]) -> bytes:
    """Return events as the CSV that they are recorded by; `known` customers are believed."""
    is_known = pl.col("customer_id").is_in(pl.Series(list(known), dtype=pl.String).implode())
    told = events.select(*COLUMNS, "place", is_known=is_known)
    return told.write_csv(None, include_header=False).encode()


def outcome(given: Formed, told: Told, *, first: int, flows: Mapping[str, str | None]) -> Outcome:
    """Return what became of a chunk whose events of good form were told.

    Args:
        given: its events.
        told: what became of these, by place.
        first: number of the chunk's first row in the body.
        flows: direction of each event type where the event says none.
    """
    is_doubted = pl.col("place").is_in(pl.Series(list(told.doubted), dtype=pl.UInt32).implode())
    believed = given.events.filter(~is_doubted)
    doubted = given.events.filter(is_doubted).select("place", "event_id")
    refused = [
        rejected(first + place, event_id, told.doubted[place]) for place, event_id in doubted.rows()
    ]
    return Outcome(
        accepted=told.accepted,
        unchanged=believed.height - told.accepted,
        rejects=[*given.rejects, *refused],
        touched=told.touched,
        report=_sums(believed, flows),
    )


def _sums(events: pl.DataFrame, flows: Mapping[str, str | None]) -> Report:
    """Add events up by type and by direction."""
    own = pl.col("type").replace_strict(flows, default=None, return_dtype=pl.String)
    directed = events.with_columns(direction=pl.coalesce("direction", own, pl.lit("none")))
    return {
        f"by_{name}": {
            value: {"rows": rows, "amount": amount}
            for value, rows, amount in directed.group_by(name, maintain_order=True)
            .agg(pl.len(), pl.col("amount").sum())
            .rows()
        }
        for name in ("type", "direction")
    }


def _objects(texts: pl.Series) -> pl.Series:
    """Return JSON objects written alike; empty for a text that is none that can be kept."""
    read = [None if text is None else _object(text) for text in texts.to_list()]
    return pl.Series(read, dtype=pl.String)


def _object(text: str) -> str:
    try:
        value = orjson.loads(text)
    except ValueError:
        return ""
    return "" if not isinstance(value, dict) or _NUL in text else orjson.dumps(value).decode()
