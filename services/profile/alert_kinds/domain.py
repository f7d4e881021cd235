"""Kinds of alerts: what staff are alerted to, and when."""

from collections.abc import Mapping
from typing import Any

from services.profile.attributes.domain import Words
from services.profile.rulebooks.domain import Shelf, must_be_agreed, read_rule
from services.profile.vocabulary import AlertKind, Label, alert_kinds
from shared.errors import FieldError, Invalid, NotFound
from shared.rules import Catalogue


class NoSuchAlertKind(NotFound):
    code = "no_such_alert_kind"


class AlertKindUnreadable(Invalid):
    code = "alert_kind_unreadable"
    title = "The kind of alert names what there is not"


def check(kind: AlertKind, words: Words, kinds: Mapping[str, AlertKind]) -> None:
    """Refuse a kind whose rule, shown attributes or precedence name what there is not.

    Raises:
        AlertKindUnreadable: naming each place, and what may have been meant.
        NeedsSeparateConsent: it uses a sensitive attribute without the flag.
    """
    reads, faults = read_rule(kind.rule, words)
    faults += [
        FieldError(f"/shown/{place}", _unknown(name, words.catalogue))
        for place, name in enumerate(kind.shown)
        if name not in words.catalogue
    ]
    if kind.yields_to is not None and kind.yields_to not in kinds.keys() - {kind.key}:
        faults.append(FieldError("/yields_to", "another kind of alert"))
    if faults:
        raise AlertKindUnreadable("Mend what is named in `errors`", errors=faults)
    sensitive = {*reads, *kind.shown} & words.sensitive
    must_be_agreed(sensitive, separate_consent=kind.separate_consent)


def kind_of(body: Mapping[str, Any]) -> AlertKind:
    """Return a kind of alert as it was written."""
    parts: dict[str, Any] = {
        "label": Label(**body["label"]),
        "todo": Label(**body["todo"]),
        "shown": tuple(body["shown"]),
    }
    return AlertKind(**{**body, **parts})


SHELF = Shelf(table="alert_kind", shipped=alert_kinds, read=kind_of)


def _unknown(name: str, catalogue: Catalogue) -> str:
    meant = catalogue.nearest(name)
    return f"{name} is no attribute" + (f" (did you mean {meant!r}?)" if meant else "")
