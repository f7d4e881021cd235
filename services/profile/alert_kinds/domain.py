"""Kinds of alerts: rules over features and levels, read together into one function."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.profile.attributes.domain import Words
from services.profile.vocabulary import AlertKind, Label
from shared.errors import FieldError, Invalid, NotFound, Refused
from shared.rules import Catalogue, Rule, RuleError, compile_single, fit, parse

SHIPPED_VERSION = 1
Values = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """A kind of alert in its current version; a shipped one has neither author nor time."""

    kind: AlertKind
    version: int = SHIPPED_VERSION
    author: str | None = None
    updated_at: datetime | None = None


class NoSuchAlertKind(NotFound):
    code = "no_such_alert_kind"


class AlertKindUnreadable(Invalid):
    code = "alert_kind_unreadable"
    title = "The kind of alert names what there is not"


class AlertNeedsSeparateConsent(Refused):
    """A sensitive attribute is used only where a separate consent stands behind it (P5)."""

    code = "separate_consent_required"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """The active kinds of one moment, compiled; `unreadable` says of the others why they are out.

    `reads` are the attributes that deciding and showing take.
    """

    kinds: Mapping[str, AlertKind]
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
        """Return the values that an alert rests on, and those that are shown beside."""
        return {name: values.get(name) for name in self.shows[key]}


def compiled(kinds: Iterable[AlertKind], catalogue: Catalogue) -> Rulebook:
    """Read the rules of the active kinds; one that cannot be read any more is left out."""
    active: dict[str, AlertKind] = {}
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


def check(kind: AlertKind, *, words: Words, keys: Iterable[str]) -> None:
    """Refuse a kind whose rule, shown attributes or precedence name what there is not.

    Raises:
        AlertKindUnreadable: naming each place, and what may have been meant.
        AlertNeedsSeparateConsent: it uses a sensitive attribute without the flag.
    """
    faults: list[FieldError] = []
    reads = set(kind.shown)
    try:
        reads |= parse(kind.rule, words.catalogue).dependencies
    except RuleError as error:
        faults += [FieldError("/rule", str(fault)) for fault in error.errors]
    faults += [
        FieldError(f"/shown/{place}", _unknown(name, words.catalogue))
        for place, name in enumerate(kind.shown)
        if name not in words.catalogue
    ]
    if kind.yields_to is not None and kind.yields_to not in set(keys) - {kind.key}:
        faults.append(FieldError("/yields_to", "another kind of alert"))
    if faults:
        raise AlertKindUnreadable("Mend what is named in `errors`", errors=faults)
    sensitive = sorted(reads & words.sensitive)
    if sensitive and not kind.separate_consent:
        raise AlertNeedsSeparateConsent(f"Set separate_consent to use {', '.join(sensitive)}")


def kind_of(body: Mapping[str, Any]) -> AlertKind:
    """Return a kind of alert as it was written."""
    parts: dict[str, Any] = {
        "label": Label(**body["label"]),
        "todo": Label(**body["todo"]),
        "shown": tuple(body["shown"]),
    }
    return AlertKind(**{**body, **parts})


def _unknown(name: str, catalogue: Catalogue) -> str:
    meant = catalogue.nearest(name)
    return f"{name} is no attribute" + (f" (did you mean {meant!r}?)" if meant else "")
