"""Scales: ordered levels, of which the first true one counts."""

from dataclasses import dataclass

from shared.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Level:
    """A step of a scale; a level without rule takes the rest."""

    key: str
    rule: Rule | None = None


@dataclass(frozen=True, slots=True)
class Ladder:
    """Levels in order, for those to whom the scale applies (everyone, if not said)."""

    levels: tuple[Level, ...]
    applies: Rule | None = None

    @property
    def dependencies(self) -> frozenset[str]:
        """Names of the attributes that any level reads."""
        rules = [self.applies, *(level.rule for level in self.levels)]
        return frozenset[str]().union(*(rule.dependencies for rule in rules if rule))
