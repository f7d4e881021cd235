"""Features of the bank's own, declared as data: which events count, and what of them is told."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from services.profile.features.domain import BANK_CURRENCY, FEATURES, Aggregate, Kind
from services.profile.vocabulary import DataField, EventType
from shared.errors import Conflict, FieldError, Invalid, NotFound

AMOUNT = "amount"
DATA = "data."
PLAIN_FIELDS = (AMOUNT, "channel", "direction", "purpose")
LONGEST_WINDOW = 730
NAMES_OF_PATHS = ("export", "rolls")
_WINDOW = re.compile(r"_(\d+)d$|_(12m)$")

Scalar: TypeAlias = str | float | bool
Value: TypeAlias = Scalar | tuple[Scalar, ...]


class Operator(StrEnum):
    """How a field is compared; a field that is not there compares with nothing."""

    EQUAL = "="
    UNEQUAL = "!="
    IN = "in"
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    PRESENT = "present"


_SAMENESS = frozenset({Operator.EQUAL, Operator.UNEQUAL, Operator.IN, Operator.PRESENT})
_OPERATORS: Mapping[str, frozenset[Operator]] = {
    "text": _SAMENESS,
    "code": _SAMENESS,
    "boolean": _SAMENESS - {Operator.IN},
    "integer": frozenset(Operator),
    "number": frozenset(Operator),
    "day": frozenset(Operator),
    "moment": frozenset({Operator.PRESENT}),
}
_NUMBERS = frozenset({"integer", "number"})
_COUNTED = frozenset({Aggregate.COUNT, Aggregate.DAYS, Aggregate.DAYS_SINCE})
_WITHOUT_END = frozenset({Aggregate.LAST, Aggregate.DAYS_SINCE})


class UnfitDeclaration(Invalid):
    code = "unfit_declaration"
    title = "The declaration does not fit the events it counts"


class NameTaken(Conflict):
    code = "name_taken"
    title = "The name is that of another feature or attribute"


class KindFixed(Conflict):
    code = "kind_fixed"
    title = "A feature keeps the type of its values: rules stand on it"


class TooManyFeatures(Conflict):
    code = "too_many_features"
    title = "The bank has declared as many features as it may"


class NoSuchFeature(NotFound):
    code = "no_such_feature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What a field of an event must be; amounts are in the bank's currency."""

    field: str
    operator: Operator
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A feature as the bank declares it.

    `source` names the type of the events, all of `filter` must hold, `of` names the number that is
    aggregated. The window is the bank's day and the days before it; None: without end. `ground` is
    the group of attributes whose ground and purposes it shares.
    """

    name: str
    zh: str
    en: str
    definition: str
    unit: str
    source: str
    filter: tuple[Condition, ...]
    aggregate: Aggregate
    of: str | None
    window_days: int | None
    ground: str
    sensitive: bool

    @property
    def kind(self) -> Kind:
        return self.aggregate.kind

    @property
    def counted_by(self) -> tuple[object, ...]:
        """What values follow from; if it changes, events are counted anew."""
        return (self.source, self.filter, self.aggregate, self.of, self.window_days)


class State(StrEnum):
    """Where a feature stands; what is being deleted is shown to nobody."""

    BACKFILLING = "backfilling"
    LIVE = "live"
    DELETING = "deleting"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredFeature:
    """A declaration in its current version; `run_id` is the run that fills it."""

    declaration: Declaration
    version: int
    state: State
    run_id: str | None
    author: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Counting:
    """A filter and a measure as they are stored: over an event as one document.

    `condition` is a jsonpath of checked names and operators whose values are `terms`; money in fen.
    """

    condition: str | None
    terms: Mapping[str, object]
    measure: list[str] | None


def check(
    wanted: Declaration, kind: EventType | None, grounds: Sequence[str], *, is_speakable: bool
) -> None:
    """Let a declaration pass that fits its event type.

    Args:
        wanted: the declaration.
        kind: the type of its source; None: there is none.
        grounds: keys of the groups of attributes there are.
        is_speakable: whether rules can use its name.

    Raises:
        UnfitDeclaration: points to all that is wrong.
    """
    faults = [*_faults_of_terms(wanted, grounds, is_speakable=is_speakable)]
    if kind is None:
        text = f"{wanted.source} is no event type; GET /v1/event-types lists them"
        faults.append(FieldError("/source", text))
    else:
        faults += _faults_of_fields(wanted, _fields(kind))
    if faults:
        detail = "; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults)
        raise UnfitDeclaration(detail, errors=faults)


def must_be_free(name: str, held: tuple[str, str] | None) -> None:
    """Refuse a name that means something else.

    Args:
        name: of a feature to be declared.
        held: owner and type of the attribute of that name; None: there is none.

    Raises:
        NameTaken: it does.
    """
    if name in FEATURES:
        raise NameTaken(f"{name} is shipped; give your own feature another name")
    if name in NAMES_OF_PATHS:
        raise NameTaken(f"/v1/features/{name} is another operation; choose another name")
    if held is not None and (held[0] != "profile" or held[1] not in {Kind.INT, Kind.DECIMAL}):
        raise NameTaken(f"{name} is an attribute of {held[0]}, of type {held[1]}; choose another")


def must_keep_kind(old: Declaration, new: Declaration) -> None:
    """Refuse another type of values.

    Raises:
        KindFixed: the aggregate would make it one.
    """
    if old.kind is not new.kind:
        raise KindFixed(
            f"{old.name} is {old.kind} and would become {new.kind}; declare another feature",
            errors=[FieldError("/aggregate", f"must give values of type {old.kind}")],
        )


def must_have_room(number: int, most: int) -> None:
    """Refuse a further feature where there are as many as there may be.

    Raises:
        TooManyFeatures: there are.
    """
    if number >= most:
        raise TooManyFeatures(f"There are {number}; delete one that nobody uses")


def counting_of(declaration: Declaration) -> Counting:
    """Return how events are told apart and measured; the declaration has been checked."""
    terms = {f"v{place}": _term(each) for place, each in enumerate(declaration.filter)}
    tests = [_test(each, f"$v{place}") for place, each in enumerate(declaration.filter)]
    return Counting(
        condition=" && ".join(tests) or None,
        terms=terms,
        measure=None if declaration.of is None else declaration.of.split("."),
    )


def unit_of(aggregate: Aggregate, of: str | None, kind: EventType | None) -> str:
    """Return the unit that follows from what is aggregated."""
    if aggregate is Aggregate.COUNT:
        return "times"
    if aggregate in _COUNTED:
        return "days"
    if of == AMOUNT:
        return BANK_CURRENCY
    field = _fields(kind).get(of or "") if kind else None
    return (field and field.unit) or ""


def window_of(name: str) -> int | None:
    """Return the days of a shipped feature's window, as its name says them; None: it has none."""
    found = _WINDOW.search(name)
    if found is None:
        return None
    return 365 if found[2] else int(found[1])


def _fields(kind: EventType) -> dict[str, DataField]:
    """Return what may be asked about an event of a type, by the name a condition uses."""
    plain = {
        AMOUNT: DataField(name=AMOUNT, type="number", zh="金额", en="Amount"),
        "channel": DataField(name="channel", type="code", zh="渠道", en="Channel"),
        "purpose": DataField(name="purpose", type="code", zh="用途", en="Purpose"),
        "direction": DataField(
            name="direction", type="code", zh="方向", en="Direction", values=("in", "out")
        ),
    }
    return plain | {f"{DATA}{field.name}": field for field in kind.data}


def _faults_of_terms(
    wanted: Declaration, grounds: Sequence[str], *, is_speakable: bool
) -> list[FieldError]:
    faults: list[FieldError] = []
    if not is_speakable:
        faults.append(FieldError("path:name", "is a word of the rule language"))
    if wanted.ground not in grounds:
        faults.append(FieldError("/ground", f"must be one of {', '.join(grounds)}"))
    if wanted.window_days is None and wanted.aggregate not in _WITHOUT_END:
        faults.append(FieldError("/window_days", f"{wanted.aggregate} needs a window"))
    if wanted.aggregate in _COUNTED and wanted.of is not None:
        faults.append(FieldError("/of", f"{wanted.aggregate} is of the events themselves"))
    if wanted.aggregate not in _COUNTED and wanted.of is None:
        faults.append(FieldError("/of", f"say what {wanted.aggregate} is of"))
    return faults


def _faults_of_fields(wanted: Declaration, fields: Mapping[str, DataField]) -> list[FieldError]:
    faults: list[FieldError] = []
    if wanted.of is not None and wanted.aggregate not in _COUNTED:
        field = fields.get(wanted.of)
        if field is None or field.type not in _NUMBERS:
            numbers = [name for name, each in fields.items() if each.type in _NUMBERS]
            faults.append(FieldError("/of", f"must be a number: {', '.join(numbers)}"))
    for place, condition in enumerate(wanted.filter):
        field = fields.get(condition.field)
        if field is None:
            text = f"{wanted.source} declares {', '.join(fields)}"
            faults.append(FieldError(f"/filter/{place}/field", text))
        elif condition.operator not in _OPERATORS[field.type]:
            known = [each for each in Operator if each in _OPERATORS[field.type]]
            text = f"a {field.type} is compared by {' '.join(known)}"
            faults.append(FieldError(f"/filter/{place}/operator", text))
        elif (text := _fault_of_value(condition, field)) is not None:
            faults.append(FieldError(f"/filter/{place}/value", text))
    return faults


def _fault_of_value(condition: Condition, field: DataField) -> str | None:
    value = condition.value
    if condition.operator is Operator.PRESENT:
        return None if isinstance(value, bool) else "must be true or false"
    if (condition.operator is Operator.IN) != isinstance(value, tuple):
        return "must be a list for `in`, and one value else"
    each = value if isinstance(value, tuple) else (value,)
    found = (text for one in each if (text := _fault_of_one(one, field)) is not None)
    if (fault := next(found, None)) is not None:
        return fault
    is_broken = condition.field == AMOUNT and any(_fen(one) % 1 for one in each)
    return "must be of whole fen" if is_broken else None


def _fault_of_one(value: Scalar, field: DataField) -> str | None:
    if field.type == "boolean":
        return None if isinstance(value, bool) else "must be true or false"
    if field.type in _NUMBERS:
        return _fault_of_number(value, field)
    if not isinstance(value, str):
        return "must be a text"
    if field.type == "day" and not _is_day(value):
        return "must be a day as YYYY-MM-DD"
    if field.values and value not in field.values:
        return f"must be one of {', '.join(field.values)}"
    return None


def _fault_of_number(value: Scalar, field: DataField) -> str | None:
    if isinstance(value, bool | str):
        return "must be a number"
    if field.type == "integer" and value % 1:
        return "must be a whole number"
    return None


def _is_day(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _term(condition: Condition) -> object:
    value = condition.value
    if condition.field != AMOUNT or isinstance(value, bool):
        return list(value) if isinstance(value, tuple) else value
    if isinstance(value, tuple):
        return [int(_fen(each)) for each in value]
    return int(_fen(value))


def _fen(value: Scalar) -> Decimal:
    return Decimal(str(value)) * 100


def _test(condition: Condition, term: str) -> str:
    """Return one condition as jsonpath; names have been checked against what is declared."""
    path = "$." + ".".join(f'"{name}"' for name in condition.field.split("."))
    match condition.operator:
        case Operator.PRESENT:
            return f"exists({path})" if condition.value else f"!exists({path})"
        case Operator.IN:
            return f"{path} == {term}[*]"
        case Operator.EQUAL:
            return f"{path} == {term}"
        case other:
            return f"{path} {other} {term}"
