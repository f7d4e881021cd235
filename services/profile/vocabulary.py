"""The words that profile is written in: catalogue data, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import yaml

from shared.paths import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """What can happen; `counts` names the counter it feeds besides activity and flow."""

    name: str
    zh: str
    en: str
    initiated: bool
    transaction: bool
    flow: str | None
    external: bool
    counts: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A product category; the balance of an `asset` is part of AUM."""

    key: str
    zh: str
    en: str
    asset: bool
    suitability: bool
    flow: str


@cache
def event_types() -> dict[str, EventType]:
    """The event types by name."""
    return {entry["name"]: EventType(**entry) for entry in _read("event_types.yaml")}


@cache
def categories() -> dict[str, Category]:
    """The product categories by key."""
    return {entry["key"]: Category(**entry) for entry in _read("categories.yaml")}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSystem:
    """A system whose references lead to customers; a `sealed` one's are personal."""

    key: str
    zh: str
    en: str
    sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An entry that is its labels and no more."""

    key: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualRule:
    """Two customers who bear the same identifiers of all these kinds are proposed as one."""

    key: str
    kinds: tuple[str, ...]
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How far two values agree; `of` is the field, `at` the bound of the measure."""

    key: str
    measure: Literal["equal", "jaro_winkler", "edits", "shares_word"]
    of: str
    at: float
    by_frequency: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One field of two records compared; the first level that holds counts."""

    key: str
    zh: str
    en: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """The model of the batch run; `catalogue/matching.yaml` says what each setting means."""

    party_types: tuple[str, ...]
    propose_from: float
    alike: tuple[tuple[str, ...], ...]
    recall: float
    learn_from: tuple[tuple[str, ...], ...]
    compare: tuple[tuple[str, ...], ...]
    sampled_pairs: int
    seed: int
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """When two records may be one party."""

    equal: tuple[EqualRule, ...]
    most_bearers: int
    refusals: Mapping[str, Word]
    linkage: Linkage


@cache
def source_systems() -> dict[str, SourceSystem]:
    """The systems that references may be of, by key."""
    return {entry["key"]: SourceSystem(**entry) for entry in _read("source_systems.yaml")}


@cache
def unmasking_purposes() -> dict[str, Word]:
    """What personal identifiers may be read in plain text for, by key."""
    return {entry["key"]: Word(**entry) for entry in _read("unmasking.yaml")}


@cache
def matching() -> Matching:
    """When two records may be one party."""
    read: dict[str, Any] = _read("matching.yaml")
    return Matching(
        equal=tuple(EqualRule(**rule | {"kinds": tuple(rule["kinds"])}) for rule in read["equal"]),
        most_bearers=read["most_bearers"],
        refusals={entry["key"]: Word(**entry) for entry in read["refusals"]},
        linkage=_linkage(read["linkage"]),
    )


def _linkage(read: dict[str, Any]) -> Linkage:
    return Linkage(
        party_types=tuple(read["party_types"]),
        propose_from=read["propose_from"],
        alike=_fields(read["alike"]["fields"]),
        recall=read["alike"]["recall"],
        learn_from=_fields(read["learn_from"]),
        compare=_fields(read["compare"]),
        sampled_pairs=read["sampled_pairs"],
        seed=read["seed"],
        comparisons=tuple(_comparison(**each) for each in read["comparisons"]),
    )


def _fields(read: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(names) for names in read)


def _comparison(*, key: str, zh: str, en: str, levels: list[dict[str, Any]]) -> Comparison:
    usual: dict[str, Any] = {"of": key, "at": 0.0, "by_frequency": False}
    return Comparison(key=key, zh=zh, en=en, levels=tuple(Level(**usual | each) for each in levels))


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / "catalogue" / name).read_text())
