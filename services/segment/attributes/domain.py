"""The attribute catalogue: what rules may ask about a customer, and who writes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from shared.errors import Conflict, FieldError, Invalid, Refused
from shared.rules import Attribute, AttributeType, Catalogue, Kind, is_speakable


class Owner(StrEnum):
    """The one service that writes an attribute."""

    PROFILE = "profile"
    SEGMENT = "segment"
    STRATEGY = "strategy"
    FEEDBACK = "feedback"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeEntry:
    """One entry of the catalogue; `values` lists what an enum may be.

    A rule that uses a `sensitive` attribute is published only with the flag that a separate
    consent stands behind it.
    """

    name: str
    owner: Owner
    type: AttributeType
    zh: str
    en: str
    unit: str = ""
    definition: str = ""
    values: tuple[str, ...] = ()
    sensitive: bool = False
    version: int = 1

    @property
    def attribute(self) -> Attribute:
        """What the rule language needs to know."""
        return Attribute(self.name, self.type, self.values)


class SeparateConsentRequired(Refused):
    """A sensitive attribute is used only where a separate consent stands behind it (P5)."""

    code = "separate_consent_required"


class AttributeInUse(Conflict):
    """Rules stand on the type and on the values that an attribute has."""

    code = "attribute_in_use"


def check_entry(entry: AttributeEntry) -> AttributeEntry:
    """Return the entry.

    Raises:
        Invalid: a rule could not write its name, or an enum has no values.
    """
    if not is_speakable(entry.name):
        fault = FieldError("path:name", "snake_case, and no word of the rule language")
        raise Invalid("Rules cannot use this name", errors=[fault])
    if (entry.type is AttributeType.ENUM) != bool(entry.values):
        fault = FieldError("/values", "an enum has values, nothing else has")
        raise Invalid("Values and type do not fit", errors=[fault])
    return entry


def check_change(old: AttributeEntry, new: AttributeEntry) -> AttributeEntry:
    """Return the changed entry, with the next version.

    Raises:
        AttributeInUse: its type or owner changed, or a value went: declare another attribute.
    """
    if (old.type, old.owner) != (new.type, new.owner):
        raise AttributeInUse("An attribute keeps its type and owner; declare another one")
    gone = set(old.values) - set(new.values)
    if gone:
        raise AttributeInUse(f"Values are only added; {', '.join(sorted(gone))} would go")
    return new


def entry_of(declared: Mapping[str, Any], old: AttributeEntry | None) -> AttributeEntry | None:
    """The entry of a feature that the bank has declared at the profile.

    Args:
        declared: data of the profile's event.
        old: the entry of this name; None: there is none.

    Returns:
        `old` itself if it says the same; None if the name is somebody else's, or no number's.
    """
    if old is not None and (old.owner is not Owner.PROFILE or old.type.kind is not Kind.NUMBER):
        return None
    entry = AttributeEntry(
        name=declared["feature"],
        owner=Owner.PROFILE,
        type=AttributeType(declared["type"]),
        zh=declared["zh"],
        en=declared["en"],
        unit=declared["unit"],
        definition=declared["definition"],
        sensitive=declared["sensitive"],
        version=old.version if old else 1,
    )
    if old is None or entry == old:
        return check_entry(entry)
    return replace(entry, version=old.version + 1)


def check_sensitive(
    reads: Iterable[str], entries: Iterable[AttributeEntry], *, has_separate_consent: bool
) -> None:
    """Let sensitive attributes be read only with the flag.

    Raises:
        SeparateConsentRequired: names what would be read without it.

    Source: PIPL article 29; statement P5.
    """
    sensitive = {entry.name for entry in entries if entry.sensitive} & set(reads)
    if sensitive and not has_separate_consent:
        names = ", ".join(sorted(sensitive))
        raise SeparateConsentRequired(f"Set separate_consent to use {names}")


def catalogue_of(entries: Iterable[AttributeEntry]) -> Catalogue:
    """The entries as the rule language sees them."""
    return Catalogue(entry.attribute for entry in entries)


def evaluation_order(reads: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Layers of names such that each reads only names of layers before its own.

    Args:
        reads: for each computed name, the names it reads; others are given.

    Raises:
        Invalid: names read each other in a circle; `errors` lists it.
    """
    waiting = {name: set(read) & set(reads) for name, read in reads.items()}
    layers: list[list[str]] = []
    while waiting:
        ready = sorted(name for name, read in waiting.items() if not read & waiting.keys())
        if not ready:
            circle = [
                FieldError(f"/{name}", "reads itself in a circle") for name in sorted(waiting)
            ]
            raise Invalid("Rules read each other in a circle", code="circular_rules", errors=circle)
        layers.append(ready)
        for name in ready:
            del waiting[name]
    return layers


def date_names(catalogue: Catalogue) -> list[str]:
    """The attributes that are dates; they are stored as text."""
    return [name for name, kind in catalogue.kinds.items() if kind is Kind.DATE]


def day_of(value: object) -> date | None:
    """A stored date; what is none counts as missing."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
