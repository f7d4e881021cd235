"""What becomes of each store's rows: read from the catalogue, where a bank changes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

import yaml

from shared.paths import CATALOGUE

EVERY = "every"


class Effect(StrEnum):
    """What an erasure does to the rows of a store.

    `erase`: they go. `anonymise`: they stay, of nobody. `restrict`: law wants them kept; they go
    from the store into the sealed archive. `blank`: the row stays in its place, without content.
    `keep`: they tell that and how the subject was erased.
    """

    ERASE = "erase"
    ANONYMISE = "anonymise"
    RESTRICT = "restrict"
    BLANK = "blank"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """On which ground a store holds rows of subjects, what for, how long, and until when.

    `kept_days`: older rows are deleted by the time in column `by`; None: as long as the subject is
    one. `restricted_days`: how long law has them kept after an erasure.
    """

    store: str
    zh: str
    en: str
    ground: str
    purposes: tuple[str, ...]
    source: str
    on_erasure: Effect
    kept_days: int | None = None
    by: str | None = None
    restricted_days: int | None = None
    law: str | None = None


@cache
def read_rules(service: str) -> Mapping[str, Rule]:
    """Return the rules of a service's stores, by store."""
    document: dict[str, Any] = yaml.safe_load((CATALOGUE / "retention.yaml").read_text())
    return {
        name: _rule(name, entry)
        for part in (EVERY, service)
        for name, entry in document["stores"][part].items()
    }


def _rule(name: str, entry: Mapping[str, Any]) -> Rule:
    given = dict(entry)
    given |= {"purposes": tuple(entry["purposes"]), "on_erasure": Effect(entry["on_erasure"])}
    rule = Rule(store=name, **given)
    if (rule.kept_days is None) != (rule.by is None):
        raise ValueError(f"retention.yaml: {name} needs both kept_days and by, or neither")
    if (rule.on_erasure is Effect.RESTRICT) != (rule.restricted_days is not None):
        raise ValueError(f"retention.yaml: {name} needs restricted_days if it is restricted")
    return rule
