"""Who is meant: identifiers and references of source systems that lead to one customer."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from shared.errors import Conflict, FieldError, Invalid, NotFound

MOST_CANDIDATES = 50
MASK = "****"


class NobodyFound(NotFound):
    code = "nobody_found"
    title = "Nobody bears these"


class SeveralFound(Conflict):
    code = "several_found"
    title = "These lead to several customers"


class ReferenceTaken(Conflict):
    code = "reference_taken"
    title = "The reference belongs to another customer"


class UnknownSystem(Invalid):
    code = "unknown_system"
    title = "There is no source system of this key"


class MaskedReference(Invalid):
    code = "masked_reference"
    title = "The reference is masked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What one system of the bank calls a customer."""

    system: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What is known of somebody: identifiers by kind, references by system."""

    identifiers: Mapping[str, str]
    references: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Whom something leads to; without a `customer_id` nobody, or one of several candidates."""

    customer_id: str | None
    matched_by: tuple[str, ...]
    candidates: tuple[str, ...]


def resolve(bearers: Mapping[str, frozenset[str]]) -> Resolution:
    """Find the one customer who bears everything that anybody bears.

    What nobody bears says nothing: a new phone does not hide whom the national id names. What
    several bear is narrowed by the rest: of a family's phone and one national id, the latter's.

    Args:
        bearers: customers by what they bear, such as `phone`.

    Returns:
        The customer and by what it was found; if there is not exactly one, the candidates.
    """
    known = {name: who for name, who in bearers.items() if who}
    common = frozenset[str].intersection(*known.values()) if known else frozenset[str]()
    if len(common) == 1:
        return Resolution(
            customer_id=next(iter(common)), matched_by=tuple(sorted(known)), candidates=()
        )
    everybody = sorted({who for each in known.values() for who in each})
    return Resolution(customer_id=None, matched_by=(), candidates=tuple(everybody))


def must_be_one(found: Resolution) -> Resolution:
    """Return what led to one customer.

    Raises:
        NobodyFound: it led to nobody the caller may see.
        SeveralFound: names the candidates by their ids, 50 at most.
    """
    if found.customer_id is not None:
        return found
    if found.candidates:
        raise SeveralFound(
            "Send more identifiers or references, or choose among the candidates",
            candidates=list(found.candidates[:MOST_CANDIDATES]),
        )
    raise NobodyFound("No customer that you may see bears any of these")


def check_systems(given: Iterable[tuple[str, str]], known: Iterable[str]) -> None:
    """Refuse references of systems that the catalogue does not name.

    Args:
        given: (JSON pointer, system).
        known: keys of the catalogue.

    Raises:
        UnknownSystem: names each.
    """
    systems = sorted(known)
    errors = [
        FieldError(pointer, "unknown source system")
        for pointer, system in given
        if system not in systems
    ]
    if errors:
        raise UnknownSystem(f"The systems are {', '.join(systems)}", errors=errors)


def check_whole(given: Sequence[Reference], sealed: Iterable[str]) -> None:
    """Refuse references that were read masked and sent back.

    Args:
        given: as the caller states them.
        sealed: the systems whose references are answered masked.

    Raises:
        MaskedReference: names each.
    """
    systems = frozenset(sealed)
    errors = [
        FieldError(f"/references/{place}/reference", "is masked; send it in full")
        for place, each in enumerate(given)
        if each.system in systems and each.reference.startswith(MASK)
    ]
    if errors:
        raise MaskedReference("What was read masked cannot be stated", errors=errors)


def masked(reference: str) -> str:
    """Return what may be shown of a sealed reference: its last four characters."""
    return MASK + reference[-4:] if len(reference) > 8 else MASK


def taken(given: Sequence[tuple[str, str]], kept: Set[tuple[str, str]]) -> list[FieldError]:
    """Name the references, as (system, stored form), that could not be kept."""
    return [
        FieldError(f"/references/{place}", "another customer bears it")
        for place, each in enumerate(given)
        if each not in kept
    ]
