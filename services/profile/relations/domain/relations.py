"""Relations between two parties: what may stand between whom, and how each side reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.profile.vocabulary import Label, RelationKind, Role
from shared.errors import Conflict, FieldError, Invalid, NotFound

Key = tuple[str, str]
"""`from_id`, `relation_id`."""


class NoSuchRelation(NotFound):
    code = "no_such_relation"


class SelfRelation(Invalid):
    code = "self_relation"
    title = "Nobody is related to themselves"


class UnknownRelationKind(Invalid):
    code = "unknown_relation_kind"
    title = "There is no relation of this kind"


class UnknownParty(Invalid):
    code = "unknown_party"
    title = "There is no such party"


class WrongPartyType(Invalid):
    code = "wrong_party_type"
    title = "A party of this type cannot stand in this relation"


class WrongRole(Invalid):
    code = "wrong_role"
    title = "The role does not fit the kind of relation"


class WrongShare(Invalid):
    code = "wrong_share"
    title = "The share does not fit the relation"


class EndsBeforeItBegins(Invalid):
    code = "ends_before_it_begins"
    title = "What ends before it begins never was"


class RelationFixed(Conflict):
    code = "relation_fixed"
    title = "A relation keeps its kind and its parties"


class RelationTaken(Conflict):
    code = "relation_taken"
    title = "There is at most one such relation at a time"


class RelationCycle(Conflict):
    code = "relation_cycle"
    title = "The relation would lead back to where it begins"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """`to_id` is to `from_id` what the kind says, from `since` until the day before `until`."""

    relation_id: str
    kind: str
    from_id: str
    to_id: str
    role: str | None = None
    since: date | None = None
    until: date | None = None
    share: float | None = None
    source: str
    confidence: float
    recorded_at: datetime

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.from_id, self.relation_id

    def is_current(self, day: date) -> bool:
        """Tell whether it holds on a day."""
        return (self.since or date.min) <= day < (self.until or date.max)

    def overlaps(self, other: "Relation") -> bool:
        """Tell whether there may be a day on which both hold."""
        begins = max(self.since or date.min, other.since or date.min)
        return begins < min(self.until or date.max, other.until or date.max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A relation as one of its two parties reads it: what the other one is."""

    relation: Relation
    other_id: str
    label: Label
    role: Role | None
    links: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """Relations of a party; `hidden` ones lead to parties the caller does not see."""

    readings: list[Reading]
    hidden: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A party of a graph, `depth` relations away from where it begins."""

    customer_id: str
    party_type: str
    depth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Who is near a customer.

    `hidden` parties stand next to these and are not the caller's to see; where `is_cut`, there
    are more than the limit let in.
    """

    nodes: list[Node]
    relations: list[Relation]
    hidden: int
    is_cut: bool


def read(relation: Relation, customer_id: str, kinds: Mapping[str, RelationKind]) -> Reading:
    """Read a relation from the side of one of its parties.

    A kind or a role that the catalogue has dropped is read by its key.
    """
    is_from = relation.from_id == customer_id
    kind = kinds.get(relation.kind)
    if kind is None:
        unnamed = Label(zh=relation.kind, en=relation.kind)
        other = relation.to_id if is_from else relation.from_id
        return Reading(relation=relation, other_id=other, label=unnamed, role=None, links=False)
    role = kind.roles.get(relation.role or "")
    if not is_from and role is not None:
        role = kind.roles.get(role.reverse or "")
    return Reading(
        relation=relation,
        other_id=relation.to_id if is_from else relation.from_id,
        label=kind.label if is_from else kind.reverse,
        role=role,
        links=kind.links,
    )


def check_form(relation: Relation, kinds: Mapping[str, RelationKind]) -> RelationKind:
    """Refuse what no two parties could be to each other; return the kind.

    Raises:
        SelfRelation: it begins and ends with one party.
        UnknownRelationKind: the catalogue has no such kind.
        WrongRole: it lacks a role, or has one that is not its kind's.
        WrongShare: its kind has no share, or it lies outside 0-100.
        EndsBeforeItBegins: `until` lies before `since`.
    """
    if relation.from_id == relation.to_id:
        raise SelfRelation("Name another party", errors=[FieldError("/to_id", "is the customer")])
    kind = kinds.get(relation.kind)
    if kind is None:
        raise UnknownRelationKind(
            f"There is no kind {relation.kind}",
            errors=[FieldError("/kind", f"one of {', '.join(kinds)}")],
        )
    _check_role(relation, kind)
    _check_share(relation, kind)
    if relation.since and relation.until and relation.until < relation.since:
        raise EndsBeforeItBegins(
            f"{relation.until} lies before {relation.since}",
            errors=[FieldError("/until", "must not lie before since")],
        )
    return kind


def check_parties(relation: Relation, kind: RelationKind, party_types: Mapping[str, str]) -> None:
    """Refuse parties that are not there, or between whom this kind does not stand.

    Raises:
        UnknownParty: `party_types` has not both.
        WrongPartyType: one is of a type that does not stand on its side.
    """
    sides = (
        ("customer_id", relation.from_id, kind.from_types),
        ("to_id", relation.to_id, kind.to_types),
    )
    for field, party, allowed in sides:
        if party not in party_types:
            raise UnknownParty(
                f"There is no party {party}, or it is not yours to see; state it first",
                errors=[FieldError(f"/{field}", "unknown")],
            )
        if party_types[party] not in allowed:
            raise WrongPartyType(
                f"{party} is a {party_types[party]}; {field} of {kind.key} is "
                f"one of {', '.join(sorted(allowed))}",
                errors=[FieldError(f"/{field}", f"must be one of {', '.join(sorted(allowed))}")],
            )


def _check_role(relation: Relation, kind: RelationKind) -> None:
    if (relation.role is None) == bool(kind.roles) or (
        relation.role is not None and relation.role not in kind.roles
    ):
        allowed = f"one of {', '.join(kind.roles)}" if kind.roles else f"{kind.key} has none"
        raise WrongRole(f"The role: {allowed}", errors=[FieldError("/role", allowed)])


def _check_share(relation: Relation, kind: RelationKind) -> None:
    if relation.share is None:
        return
    if not kind.has_share:
        raise WrongShare(
            f"{kind.key} carries no share", errors=[FieldError("/share", "leave it out")]
        )
    if not 0 <= relation.share <= 100:
        raise WrongShare(
            f"A share of {relation.share}% is none",
            errors=[FieldError("/share", "must lie between 0 and 100")],
        )
