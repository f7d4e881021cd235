"""Catalogue entries: versioned pieces of data that a bank edits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar, cast

T = TypeVar("T")


class Kind(StrEnum):
    """What an entry describes; together they are the catalogue a decision is made with."""

    ATTRIBUTE = "attribute"
    CATEGORY = "category"
    CHANNEL = "channel"
    CONTACT_POLICY = "contact_policy"
    DECISIONING = "decisioning"
    PRODUCT = "product"
    STRATEGY = "strategy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version of one entry.

    `version` counts the entry's own versions, `catalogue_version` those of the whole catalogue;
    `author` and `approver` are persons (or the client where nobody stands behind the call).
    """

    kind: Kind
    key: str
    version: int
    catalogue_version: int
    body: Mapping[str, object]
    author: str
    approver: str | None
    at: datetime


class Fields:
    """Typed reading of an entry's body; a value of another type is a fault of the data.

    Raises:
        ValueError: naming the field.
    """

    def __init__(self, body: Mapping[str, object], where: str = "") -> None:
        self._body = body
        self._where = where

    def has(self, name: str) -> bool:
        return self._body.get(name) is not None

    def is_text(self, name: str) -> bool:
        return isinstance(self._body.get(name), str)

    def text(self, name: str, default: str = "") -> str:
        return self._of(str, name, default)

    def text_or_none(self, name: str) -> str | None:
        return None if self._body.get(name) is None else self.text(name)

    def flag(self, name: str, *, default: bool = False) -> bool:
        return self._of(bool, name, default)

    def whole(self, name: str, default: int = 0) -> int:
        return self._of(int, name, default)

    def whole_or_none(self, name: str) -> int | None:
        return None if self._body.get(name) is None else self.whole(name)

    def number(self, name: str, default: float = 0.0) -> float:
        """Read a number; decimals may come as text."""
        value = self._body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise self._wrong(name, "a number")
        try:
            return float(value)
        except ValueError as error:
            raise self._wrong(name, "a number") from error

    def number_or_none(self, name: str) -> float | None:
        return None if self._body.get(name) is None else self.number(name)

    def day(self, name: str) -> date | None:
        value = self._body.get(name)
        if value is None or isinstance(value, date):
            return value
        return date.fromisoformat(self.text(name))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(str(item) for item in self.items(name))

    def items(self, name: str) -> list[object]:
        value = self._body.get(name) or []
        if not isinstance(value, list | tuple):
            raise self._wrong(name, "a list")
        return list(cast("list[object]", value))

    def each(self, name: str) -> "list[Fields]":
        return [self._inner(name, item) for item in self.items(name)]

    def inner(self, name: str) -> "Fields":
        return self._inner(name, self._body.get(name) or {})

    def names(self) -> list[str]:
        return list(self._body)

    def weights(self, name: str) -> dict[str, float]:
        """Read a mapping of names to numbers."""
        part = self.inner(name)
        return {key: part.number(key) for key in part.names()}

    def _inner(self, name: str, value: object) -> "Fields":
        if not isinstance(value, Mapping):
            raise self._wrong(name, "an object")
        return Fields(cast("Mapping[str, object]", value), f"{self._where}/{name}")

    def _of(self, kind: type[T], name: str, default: T) -> T:
        value = self._body.get(name, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise self._wrong(name, f"a {kind.__name__}")
        return value

    def _wrong(self, name: str, wanted: str) -> ValueError:
        return ValueError(f"{self._where}/{name} is {self._body.get(name)!r}, not {wanted}")
