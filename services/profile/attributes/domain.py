"""The words of rules over a customer: the shipped attributes, and what segment tells of them."""

from collections.abc import Iterable
from dataclasses import dataclass

from services.profile.vocabulary import AttributeWord
from shared.rules import Attribute, AttributeType, Catalogue


@dataclass(frozen=True, slots=True)
class Told:
    """An attribute as segment told it; one that is deleted is no word any more."""

    name: str
    type: str
    values: tuple[str, ...]
    is_sensitive: bool
    is_deleted: bool


@dataclass(frozen=True, slots=True)
class Words:
    """What rules of profile may ask, and for which of it they need a separate consent (P5)."""

    catalogue: Catalogue
    sensitive: frozenset[str]


def words_of(shipped: Iterable[AttributeWord], told: Iterable[Told]) -> Words:
    """Return what rules of profile may ask: what was told counts instead of what is shipped.

    Dates are left out: no feature and no level is one.
    """
    known = {each.name: (each.type, each.values, each.sensitive) for each in shipped}
    for each in told:
        known[each.name] = (each.type, each.values, each.is_sensitive)
        if each.is_deleted:
            del known[each.name]
    catalogue = Catalogue(
        Attribute(name, AttributeType(type_), values)
        for name, (type_, values, _) in known.items()
        if type_ != AttributeType.DATE
    )
    sensitive = frozenset(name for name, (*_, is_sensitive) in known.items() if is_sensitive)
    return Words(catalogue, sensitive)
