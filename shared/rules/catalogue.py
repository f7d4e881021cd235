"""The words a rule may use: attributes with a type, given by the caller."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from sqlglot.tokenizer_core import TokenType
from sqlglot.tokens import Tokenizer

_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Kind(StrEnum):
    """How a value behaves in an expression."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"


class AttributeType(StrEnum):
    """How a value is declared in a catalogue."""

    INT = "int"
    DECIMAL = "decimal"
    RATIO = "ratio"
    BOOL = "bool"
    ENUM = "enum"
    TEXT = "text"
    DATE = "date"

    @property
    def kind(self) -> Kind:
        """The behaviour of this type: every number is a float64, an enum is a text."""
        return _KINDS.get(self, Kind.NUMBER)


_KINDS = {
    AttributeType.BOOL: Kind.BOOLEAN,
    AttributeType.ENUM: Kind.TEXT,
    AttributeType.TEXT: Kind.TEXT,
    AttributeType.DATE: Kind.DATE,
}


@dataclass(frozen=True, slots=True)
class Attribute:
    """A name that rules may use; `values` lists what an enum may be."""

    name: str
    type: AttributeType
    values: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not is_speakable(self.name):
            raise ValueError(f"{self.name!r} cannot be written in a rule")


def is_speakable(name: str) -> bool:
    """Whether a rule can use this name: snake_case and no word of the language."""
    if not _NAME.fullmatch(name):
        return False
    return [token.token_type for token in Tokenizer().tokenize(name)] == [TokenType.VAR]


class Catalogue:
    """The attributes a rule may name, by name."""

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        """Take the attributes; a later one replaces an earlier one of the same name."""
        self._attributes = {attribute.name: attribute for attribute in attributes}
        self.kinds = {name: each.type.kind for name, each in self._attributes.items()}

    def find(self, name: str) -> Attribute | None:
        """The attribute of this name, if there is one."""
        return self._attributes.get(name)

    def nearest(self, name: str) -> str | None:
        """The known name most like this one, if any is like it at all."""
        return nearest(name, self._attributes)

    def __contains__(self, name: object) -> bool:
        return name in self._attributes

    def __iter__(self) -> Iterator[Attribute]:
        return iter(self._attributes.values())

    def __len__(self) -> int:
        return len(self._attributes)


def fit(values: Mapping[str, object], catalogue: Catalogue) -> dict[str, bool | float | str]:
    """Keep what is declared and of the declared kind; the rest counts as missing."""
    kinds = catalogue.kinds
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, bool | int | float | str)
        and name in kinds
        and type(value) in _ACCEPTED[kinds[name]]
        and (type(value) is not float or math.isfinite(value))
    }


_ACCEPTED: dict[Kind, tuple[type, ...]] = {
    Kind.NUMBER: (float, int),
    Kind.BOOLEAN: (bool,),
    Kind.TEXT: (str,),
    Kind.DATE: (str,),
}


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like `word`, or None."""
    matches = get_close_matches(word[:64], list(known), n=1)
    return matches[0] if matches else None
