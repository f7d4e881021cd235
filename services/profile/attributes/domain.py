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
    is_deleted: bool


def words_of(shipped: Iterable[AttributeWord], told: Iterable[Told]) -> Catalogue:
    """Return what rules of profile may ask: what was told counts instead of what is shipped.

    Dates are left out: no feature and no level is one.
    """
    known = {each.name: (each.type, each.values) for each in shipped}
    for each in told:
        known[each.name] = (each.type, each.values)
        if each.is_deleted:
            del known[each.name]
    return Catalogue(
        Attribute(name, AttributeType(type_), values)
        for name, (type_, values) in known.items()
        if type_ != AttributeType.DATE
    )
