"""Events of an import, column by column: their form, the lines they are copied by, their sums."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
import polars as pl

from services.profile.event_types.domain import Faults, checker
from services.profile.events.domain import COLUMNS, Reason, Told
from services.profile.jobs.domain import checks
from services.profile.jobs.domain.jobs import Outcome, Reject, Report, rejected
from services.profile.vocabulary import EventType

Check = Callable[[Mapping[str, Any] | None], Faults]

_NUL = "\\u0000"


@dataclass(frozen=True, slots=True)
class Formed:
    """Events of good form, each with its `place` in the chunk, and the others.

    `faults` names by place the fields of data that do not fit, None if all do.
    """

    events: pl.DataFrame
    rejects: list[Reject]
    faults: Mapping[int, str | None]


def formed(batch: pl.DataFrame, required: frozenset[str], types: Mapping[str, EventType]) -> Formed:
    """Part the events of good form from the others.

    Args:
        batch: one chunk, money in whole fen.
        required: columns that every row fills.
        types: those that events of the chunk name; `fits` tells whether their data do.
    """
    read, faults = _objects(batch, types)
    frame = batch.with_row_index("place").with_columns(read=read, fits=faults.is_null())
    forms = [
        *checks.general(batch.schema, required),
        *checks.event(),
        ("bad_data", pl.col("read") == ""),
    ]
    frame = frame.with_columns(reason=checks.reason(forms), data=pl.col("read")).drop("read")
    bad = frame.filter(pl.col("reason").is_not_null()).select("place", "event_id", "reason")
    return Formed(
        frame.filter(pl.col("reason").is_null()),
        [rejected(place, event_id, reason) for place, event_id, reason in bad.rows()],
        dict(enumerate(faults.to_list())),
    )


def lines(events: pl.DataFrame, known: Collection[str]) -> bytes:
    """Return events as the CSV that they are recorded by; `known` customers are believed."""
    is_known = pl.col("customer_id").is_in(pl.Series(list(known), dtype=pl.String).implode())
    told = events.select(*COLUMNS, "place", is_known.alias("is_known"), "fits")
    return told.write_csv(None, include_header=False).encode()


def outcome(given: Formed, told: Told, *, flows: Mapping[str, str | None]) -> Outcome:
    """Return what became of a chunk whose events of good form were told.

    Args:
        given: its events.
        told: what became of these, by place.
        flows: direction of each event type where the event says none.
    """
    is_doubted = pl.col("place").is_in(pl.Series(list(told.doubted), dtype=pl.UInt32).implode())
    believed = given.events.filter(~is_doubted)
    doubted = given.events.filter(is_doubted).select("place", "event_id")
    refused = [
        _doubted(place, event_id, told.doubted[place], given.faults[place])
        for place, event_id in doubted.rows()
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


def _doubted(place: int, event_id: str, reason: Reason, faults: str | None) -> Reject:
    reject = rejected(place, event_id, reason)
    return replace(reject, column=faults) if reason is Reason.UNFIT_DATA else reject


def _objects(batch: pl.DataFrame, types: Mapping[str, EventType]) -> tuple[pl.Series, pl.Series]:
    """Return data written alike, empty if they cannot be kept, and which fields do not fit."""
    nothing: Check = lambda _: ()  # noqa: E731 - the check of a type that there is not
    checks = {name: checker(kind) for name, kind in types.items()}
    pairs = [
        _object(text, checks.get(name, nothing))
        for text, name in zip(batch["data"].to_list(), batch["type"].to_list(), strict=True)
    ]
    read, faults = zip(*pairs, strict=True) if pairs else ((), ())
    return pl.Series(read, dtype=pl.String), pl.Series(faults, dtype=pl.String)


def _object(text: str | None, check: Check) -> tuple[str | None, str | None]:
    if text is None:
        return None, _named(check(None))
    try:
        value = orjson.loads(text)
    except ValueError:
        return "", None
    if not isinstance(value, dict) or _NUL in text:
        return "", None
    return orjson.dumps(value).decode(), _named(check(value))


def _named(faults: Faults) -> str | None:
    return ",".join(f"data.{fault.field}" for fault in faults) or None
