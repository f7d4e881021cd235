"""Which relations go with those there are: one at a time, no chain that closes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from services.profile.relations.domain.relations import (
    Key,
    Relation,
    RelationCycle,
    RelationFixed,
    RelationTaken,
    check_form,
    check_parties,
)
from services.profile.vocabulary import RelationKind
from shared.errors import FieldError


class Admission:
    """Admits relations one after another; each admitted one binds those after it.

    Args:
        kinds: of relation, by key.
        party_types: of all parties concerned that are there, by id.
        known: what is there of what bears on the wanted ones: relations of the same keys, those of
            the same party on a side that has one at most, and the chains above of acyclic kinds.
    """

    def __init__(
        self,
        kinds: Mapping[str, RelationKind],
        party_types: Mapping[str, str],
        known: Iterable[Relation],
    ) -> None:
        self._kinds = kinds
        self._party_types = party_types
        self._by_key: dict[Key, Relation] = {}
        self._beside: dict[tuple[str, str], dict[Key, Relation]] = defaultdict(dict)
        self._above: dict[tuple[str, str], set[str]] = defaultdict(set)
        for relation in known:
            self._keep(relation)

    def admit(self, relation: Relation) -> None:
        """Take a relation in.

        Raises:
            Invalid: as `check_form` and `check_parties`.
            RelationFixed: its id is known for another kind or party.
            RelationTaken: the party has one already at that time.
            RelationCycle: it would lead back to where it begins.
        """
        kind = check_form(relation, self._kinds)
        check_parties(relation, kind, self._party_types)
        before = self._by_key.get(relation.key)
        if before and (before.kind, before.to_id) != (relation.kind, relation.to_id):
            raise RelationFixed(
                f"Relation {relation.relation_id} is a {before.kind} to {before.to_id}; "
                "take a new id, or delete it first"
            )
        self._check_alone(relation, kind)
        if kind.acyclic and self._leads_up(relation.kind, relation.from_id, relation.to_id):
            raise RelationCycle(
                f"{relation.from_id} stems from {relation.to_id} by {kind.key} already",
                errors=[FieldError("/to_id", "closes a cycle")],
            )
        self._keep(relation)

    def _keep(self, relation: Relation) -> None:
        self._by_key[relation.key] = relation
        self._above[relation.kind, relation.to_id].add(relation.from_id)
        side = self._one_of(relation)
        if side is not None:
            self._beside[relation.kind, side][relation.key] = relation

    def _one_of(self, relation: Relation) -> str | None:
        """Return the party that has at most one relation of this kind."""
        kind = self._kinds.get(relation.kind)
        if kind is None or kind.one is None:
            return None
        return relation.from_id if kind.one == "from" else relation.to_id

    def _check_alone(self, relation: Relation, kind: RelationKind) -> None:
        side = self._one_of(relation)
        for key, other in self._beside.get((kind.key, side or ""), {}).items():
            if key != relation.key and relation.overlaps(other):
                raise RelationTaken(
                    f"{side} has a {kind.key} from {other.since or 'ever'} to "
                    f"{other.until or 'now'}; end that one first",
                    errors=[FieldError("/since", "overlaps another relation of this kind")],
                )

    def _leads_up(self, kind: str, start: str, goal: str) -> bool:
        seen, ahead = {start}, [start]
        while ahead:
            party = ahead.pop()
            if party == goal:
                return True
            fresh = self._above.get((kind, party), set()) - seen
            seen |= fresh
            ahead.extend(fresh)
        return False
