"""Kinds whose rules follow each customer: their versions, and all rules as one function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from services.profile.attributes.domain import Words
from shared.errors import FieldError, Refused
from shared.rules import Catalogue, Rule, RuleError, compile_single, fit, parse

SHIPPED_VERSION = 1
Values = Mapping[str, object]


class Named(Protocol):
    """A kind, known by its key."""

    @property
    def key(self) -> str: ...


class Watched(Named, Protocol):
    """A kind that holds for a customer by a rule; `quiet_days` later it begins anew."""

    @property
    def rule(self) -> str: ...
    @property
    def yields_to(self) -> str | None: ...
    @property
    def shown(self) -> tuple[str, ...]: ...
    @property
    def quiet_days(self) -> int: ...
    @property
    def is_active(self) -> bool: ...


K = TypeVar("K", bound=Named)
W = TypeVar("W", bound=Watched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition(Generic[K]):
    """A kind in its current version; a shipped one has neither author nor time."""

    kind: K
    version: int = SHIPPED_VERSION
    author: str | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf(Generic[K]):
    """Where kinds of one sort stand: those shipped, and the table of those the bank wrote."""

    table: Literal["alert_kind", "tag_kind"]
    shipped: Callable[[], Mapping[str, K]]
    read: Callable[[Mapping[str, Any]], K]


class NeedsSeparateConsent(Refused):
    """What is sensitive is used only where a separate consent stands behind it (P5)."""

    code = "separate_consent_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook(Generic[W]):
    """The active kinds of one moment, compiled; `unreadable` says of the others why they are out.

    `reads` are the attributes that deciding and showing take.
    """

    kinds: Mapping[str, W]
    catalogue: Catalogue
    evaluate: Callable[[Values], Mapping[str, bool | None]]
    shows: Mapping[str, tuple[str, ...]]
    reads: frozenset[str]
    unreadable: Mapping[str, str]

    def holding(self, values: Values) -> frozenset[str]:
        """Return the kinds that hold for a customer; what is missing makes none hold."""
        truths = self.evaluate(fit(values, self.catalogue))
        held = {key for key, is_true in truths.items() if is_true}
        return frozenset(key for key in held if self.kinds[key].yields_to not in held)

    def evidence(self, key: str, values: Values) -> dict[str, object]:
        """Return the values that a kind rests on, and those that are shown beside."""
        return {name: values.get(name) for name in self.shows[key]}


def compiled(kinds: Iterable[W], catalogue: Catalogue) -> Rulebook[W]:
    """Read the rules of the active kinds; one that cannot be read any more is left out."""
    active: dict[str, W] = {}
    rules: dict[str, Rule] = {}
    unreadable: dict[str, str] = {}
    for kind in kinds:
        if not kind.is_active:
            continue
        try:
            rules[kind.key] = parse(kind.rule, catalogue)
            active[kind.key] = kind
        except RuleError as error:
            unreadable[kind.key] = str(error)
    shows = {
        key: tuple(sorted({*rule.dependencies, *active[key].shown})) for key, rule in rules.items()
    }
    return Rulebook(
        kinds=active,
        catalogue=catalogue,
        evaluate=compile_single(rules),
        shows=shows,
        reads=frozenset().union(*shows.values()),
        unreadable=unreadable,
    )


def read_rule(text: str, words: Words) -> tuple[frozenset[str], list[FieldError]]:
    """Return the attributes that a rule asks, or what is wrong with it."""
    try:
        return frozenset(parse(text, words.catalogue).dependencies), []
    except RuleError as error:
        return frozenset(), [FieldError("/rule", str(fault)) for fault in error.errors]


def must_be_agreed(names: Iterable[str], *, separate_consent: bool) -> None:
    """Refuse sensitive attributes without the flag.

    Raises:
        NeedsSeparateConsent: names them.
    """
    sensitive = sorted(names)
    if sensitive and not separate_consent:
        raise NeedsSeparateConsent(f"Set separate_consent to use {', '.join(sensitive)}")
