"""RFM in the bank's variant: three scores of 1 to 5 and the eight segments they make."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

from shared.errors import FieldError, Invalid
from shared.rules import Catalogue, Kind, Ladder, Level, RuleError, parse, spell_literal

DIMENSIONS = ("r", "f", "m")
SCORES = (5, 4, 3, 2)
MAX_CUT = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One score: `cuts` are those of 5, 4, 3 and 2, anything worse or missing scores 1.

    `better`: `low` if a value at or under a cut earns its score, `high` if at or over it.
    `high` is the score from which the dimension counts as high.
    """

    attribute: str
    better: Literal["low", "high"]
    cuts: tuple[float, ...]
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSegment:
    """The customers who are high in exactly these dimensions."""

    key: str
    high: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueActivity:
    """Value is high with M, activity is high with R and F together."""

    key: str
    value: Literal["high", "low"]
    activity: Literal["high", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rfm:
    """Scores, segments and the four classes of value and activity; none outside `where`."""

    where: str
    dimensions: Mapping[str, Dimension]
    segments: tuple[RfmSegment, ...]
    value_activity: tuple[ValueActivity, ...]


def rfm_of(document: Mapping[str, Any]) -> Rfm:
    """What a definition's document says that scores and segments are computed from."""
    return Rfm(
        where=document["where"],
        dimensions={name: _dimension(document["fixed"][name]) for name in DIMENSIONS},
        segments=tuple(
            RfmSegment(key=entry["key"], high=frozenset(entry["high"]))
            for entry in document["segments"]
        ),
        value_activity=tuple(
            ValueActivity(key=entry["key"], value=entry["value"], activity=entry["activity"])
            for entry in document["value_activity"]
        ),
    )


def _dimension(document: Mapping[str, Any]) -> Dimension:
    return Dimension(
        attribute=document["attribute"],
        better=document["better"],
        cuts=tuple(document["cuts"]),
        high=document["high"],
    )


def check_rfm(rfm: Rfm, catalogue: Catalogue, computed: frozenset[str]) -> None:
    """Check that every customer inside `where` gets each score and exactly one segment.

    Args:
        rfm: the definition.
        catalogue: what `where` and the dimensions may name.
        computed: attributes that segment computes itself: RFM stands on facts only.

    Raises:
        Invalid: says what is wrong with which part.
    """
    faults = [
        fault for name in DIMENSIONS for fault in _dimension_faults(rfm, name, catalogue, computed)
    ]
    combinations = {segment.high for segment in rfm.segments}
    if len(combinations) < 2 ** len(DIMENSIONS) or len(rfm.segments) != len(combinations):
        faults.append(FieldError("/segments", "each of the eight combinations has one segment"))
    if len({(entry.value, entry.activity) for entry in rfm.value_activity}) != 4:
        faults.append(FieldError("/value_activity", "each of the four combinations has one class"))
    try:
        read = parse(rfm.where, catalogue).dependencies & computed
        faults += [FieldError("/where", f"{name} is computed here, not a fact") for name in read]
    except RuleError as refused:
        faults += [FieldError("/where", str(fault)) for fault in refused.errors]
    if faults:
        raise Invalid("The RFM definition does not hold together", errors=faults)


def ladders_of(rfm: Rfm, catalogue: Catalogue) -> dict[str, Ladder]:
    """RFM in the rule language: a ladder for each attribute it writes, scores as digits."""
    where = parse(rfm.where, catalogue)

    def ladder(rules: Mapping[str, str | None]) -> Ladder:
        levels = (
            Level(key, parse(rule, catalogue) if rule else None) for key, rule in rules.items()
        )
        return Ladder(tuple(levels), where)

    scores = {
        f"rfm_{name}": ladder(_score_rules(dimension)) for name, dimension in rfm.dimensions.items()
    }
    segments = {segment.key: _segment_rule(rfm, segment) for segment in rfm.segments}
    classes = {entry.key: _class_rule(rfm, entry) for entry in rfm.value_activity}
    return scores | {"rfm_segment": ladder(segments), "value_activity": ladder(classes)}


def _score_rules(dimension: Dimension) -> dict[str, str | None]:
    sign = "<=" if dimension.better == "low" else ">="
    rules: dict[str, str | None] = {
        str(score): f"{dimension.attribute} {sign} {spell_literal(float(cut))}"
        for score, cut in zip(SCORES, dimension.cuts, strict=True)
    }
    return rules | {"1": None}


def _is_high(rfm: Rfm, name: str) -> str:
    return f"rfm_{name} >= {rfm.dimensions[name].high}"


def _segment_rule(rfm: Rfm, segment: RfmSegment) -> str:
    terms = (
        _is_high(rfm, name) if name in segment.high else f"NOT {_is_high(rfm, name)}"
        for name in DIMENSIONS
    )
    return " AND ".join(terms)


def _class_rule(rfm: Rfm, entry: ValueActivity) -> str:
    value, activity = _is_high(rfm, "m"), f"({_is_high(rfm, 'r')} AND {_is_high(rfm, 'f')})"
    terms = [
        value if entry.value == "high" else f"NOT {value}",
        activity if entry.activity == "high" else f"NOT {activity}",
    ]
    return " AND ".join(terms)


def _dimension_faults(
    rfm: Rfm, name: str, catalogue: Catalogue, computed: frozenset[str]
) -> list[FieldError]:
    dimension = rfm.dimensions[name]
    attribute = catalogue.find(dimension.attribute)
    faults: list[str] = []
    if attribute is None or attribute.type.kind is not Kind.NUMBER:
        faults.append("no number is called so")
    elif dimension.attribute in computed:
        faults.append("is computed here, not a fact")
    if len(dimension.cuts) != len(SCORES):
        faults.append("has a cut for each of 5, 4, 3 and 2")
    if any(abs(cut) > MAX_CUT for cut in dimension.cuts):
        faults.append(f"cuts end at {MAX_CUT:g}")
    grows = dimension.better == "low"
    if not all((low < high) == grows and low != high for low, high in pairwise(dimension.cuts)):
        faults.append("cuts go from the best to the worst")
    return [FieldError(f"/fixed/{name}", fault) for fault in faults]
