"""What a process knows at one moment: a catalogue, and what was learnt up to a version."""

from collections.abc import Sequence
from datetime import date

from services.strategy.catalogue.domain.compiled import Arena, Catalogue
from services.strategy.channels.domain import Direction
from services.strategy.decisions.domain.decide import beliefs_of
from services.strategy.decisions.domain.ranking import Beliefs
from services.strategy.propensities.domain import Evidence, Propensities, propensities


class Knowledge:
    """One catalogue with the evidence of one version; beliefs are computed once a day and arena."""

    def __init__(self, catalogue: Catalogue, evidence: Sequence[Evidence], *, version: int) -> None:
        self.catalogue = catalogue
        self.version = version
        self._evidence = evidence
        self._faded: dict[date, Propensities] = {}
        self._beliefs: dict[tuple[date, str, Direction], Beliefs] = {}

    def arena(self, channel: str, direction: Direction) -> Arena | None:
        """Return the treatments of a channel and direction, if there are any."""
        return self.catalogue.arenas.get((channel, direction))

    def beliefs(self, arena: Arena | None, day: date) -> Beliefs | None:
        """Return what is known of an arena's treatments on a day of the bank."""
        if arena is None:
            return None
        place = (day, arena.channel.key, arena.direction)
        known = self._beliefs.get(place)
        if known is None:
            known = self._beliefs[place] = beliefs_of(arena, self._propensities(day))
        return known

    def _propensities(self, day: date) -> Propensities:
        known = self._faded.get(day)
        if known is None:
            rules = self.catalogue.shelf.decisioning.propensity
            known = propensities(self._evidence, version=self.version, day=day, rules=rules)
            self._faded[day] = known
        return known
