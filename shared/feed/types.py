"""The event types of each service, read from `docs/events/*.json`."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import orjson

from shared.paths import EVENT_SCHEMAS

Lane = Literal["safety", "main"]


@dataclass(frozen=True, slots=True)
class EventType:
    """One published type; `schema` describes its `data`."""

    name: str
    lane: Lane
    is_state: bool
    schema: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which types a reader wants: `wanted` (None: all) without `unwanted`."""

    wanted: tuple[str, ...] | None = None
    unwanted: tuple[str, ...] = ()

    def __contains__(self, name: object) -> bool:
        return (self.wanted is None or name in self.wanted) and name not in self.unwanted


@cache
def event_types(service: str, folder: Path = EVENT_SCHEMAS) -> dict[str, EventType]:
    """Return the types that a service publishes, by name."""
    schemas = {path.stem: orjson.loads(path.read_bytes()) for path in folder.glob("*.json")}
    return {
        name: EventType(name, schema["x-lane"], schema["x-state"], schema)
        for name, schema in sorted(schemas.items())
        if name.startswith(f"{service}.")
    }


def select_types(service: str, types: str | None, lane: Lane | None) -> Selection:
    """Return the selection behind `types=a,b` and `lane=`; what is not safety is main."""
    safety = tuple(t.name for t in event_types(service).values() if t.lane == "safety")
    wanted = None if types is None else tuple(name for name in types.split(",") if name)
    if lane == "safety":
        return Selection(tuple(name for name in safety if wanted is None or name in wanted))
    return Selection(wanted, safety if lane == "main" else ())
