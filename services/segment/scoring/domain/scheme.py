"""A scheme: everything that is computed of a customer, in the order in which it must be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.segment.attributes.domain import AttributeEntry, catalogue_of, evaluation_order
from services.segment.customers.domain import LevelType
from services.segment.percentiles.domain import Percentile, Population
from services.segment.rfm import domain as rfm_domain
from services.segment.rfm.domain import Rfm
from services.segment.scales import domain as scale_domain
from services.segment.scales.domain import Scale
from services.segment.scores.domain.definitions import Formula, Score, formula_of
from shared.rules import Catalogue, Kind, Ladder, Rule, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """What a bank has defined, and the cuts of everybody; `segments` are the rules in use, by key.

    `version` is that of the rules; cuts have a revision of their own.
    """

    version: int
    attributes: Sequence[AttributeEntry]
    scales: Sequence[Scale]
    rfm: Rfm | None
    segments: Mapping[str, str]
    scores: Sequence[Score] = ()
    percentiles: Sequence[Percentile] = ()
    population: Population = field(default_factory=Population)

    @property
    def revision(self) -> tuple[int, int]:
        """Another whenever a customer may be evaluated otherwise."""
        return self.version, self.population.revision


@dataclass(frozen=True, slots=True)
class Computed:
    """One attribute that rules give: the level of the first ladder that applies."""

    name: str
    ladders: tuple[Ladder, ...]
    is_number: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """What can be computed once the layers before are: by rules, points, and held levels."""

    computed: tuple[Computed, ...]
    scores: tuple[Formula, ...]
    held: tuple[Scale, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """The layers, the segments that close them, and the attributes that must be given.

    Percentiles are of given attributes and come before the first layer.
    """

    definitions: Definitions
    catalogue: Catalogue
    layers: tuple[Layer, ...]
    segments: Mapping[str, Rule]
    inputs: tuple[str, ...]

    @property
    def levels(self) -> dict[str, LevelType]:
        """Every attribute that is computed, by name."""
        found = {each.key: LevelType.SHARE for each in self.definitions.percentiles}
        for layer in self.layers:
            found |= {
                entry.name: LevelType.POINTS if entry.is_number else LevelType.KEY
                for entry in layer.computed
            }
            found |= {formula.score.key: LevelType.POINTS for formula in layer.scores}
            found |= {scale.key: LevelType.KEY for scale in layer.held}
        return dict(sorted(found.items()))


def scheme_of(definitions: Definitions) -> Scheme:
    """Parse every rule and put what they compute into order.

    Raises:
        Invalid: rules read each other in a circle.
        RuleError: a stored rule no longer fits the catalogue.
    """
    catalogue = catalogue_of(definitions.attributes)
    computed = {entry.name: entry for entry in _computed(definitions, catalogue)}
    formulas = {score.key: formula_of(score, catalogue) for score in definitions.scores}
    held = {scale.key: scale for scale in definitions.scales if scale.down_after_month_ends}
    reads = {name: scale_domain.reads_of(entry.ladders) for name, entry in computed.items()}
    reads |= {key: formula.dependencies for key, formula in formulas.items()}
    reads |= {key: frozenset({scale.stateless_key}) for key, scale in held.items()}
    reads |= {each.key: each.reads for each in definitions.percentiles}
    layers = [
        Layer(
            tuple(computed[name] for name in names if name in computed),
            tuple(formulas[name] for name in names if name in formulas),
            tuple(held[name] for name in names if name in held),
        )
        for names in evaluation_order(reads)
    ]
    segments = {key: parse(text, catalogue) for key, text in definitions.segments.items()}
    used = frozenset[str]().union(*reads.values(), *(r.dependencies for r in segments.values()))
    return Scheme(
        definitions=definitions,
        catalogue=catalogue,
        layers=tuple(layers),
        segments=dict(sorted(segments.items())),
        inputs=tuple(sorted(used - reads.keys())),
    )


def _computed(definitions: Definitions, catalogue: Catalogue) -> list[Computed]:
    ladders = {
        scale.stateless_key: scale_domain.ladders_of(scale, catalogue)
        for scale in definitions.scales
    }
    if definitions.rfm:
        for name, ladder in rfm_domain.ladders_of(definitions.rfm, catalogue).items():
            ladders[name] = (ladder,)
    return [Computed(name, found, _is_number(name, catalogue)) for name, found in ladders.items()]


def _is_number(name: str, catalogue: Catalogue) -> bool:
    attribute = catalogue.find(name)
    return attribute is not None and attribute.type.kind is Kind.NUMBER
