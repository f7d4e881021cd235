"""A mapping: how a source's files become customers, accounts, holdings and events.

docs/MAPPINGS.md explains every key to whoever writes one.
"""

import re
from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from zoneinfo import available_timezones

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bihuan.columns import ACCOUNTS, CUSTOMERS, EVENTS, HOLDINGS, Import

TARGETS = {target.kind: target for target in (CUSTOMERS, ACCOUNTS, HOLDINGS, EVENTS)}
CONSENT_WORDS = frozenset({"consent", "consents", "preferences"})
COLUMN = re.compile(r"\{([^{}]*)\}")
DATE_PARTS = {
    "%Y": r"(?<year>\d{4})",
    "%y": r"(?<short>\d{2})",
    "%m": r"(?<month>\d{1,2})",
    "%d": r"(?<day>\d{1,2})",
    "%H": r"(?<hour>\d{1,2})",
    "%M": r"(?<minute>\d{2})",
    "%S": r"(?<second>\d{2})",
    "%f": r"(?<fraction>\d{1,6})\d*",
    "%z": r"(?<offset>Z|[+-]\d{2}:?\d{2})",
}


class MappingRefused(Exception):
    """The mapping cannot be used; the message says where and why, one line a fault."""


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _known_zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError(f"there is no time zone {name}")
    return name


def _date_pattern(pattern: str) -> str:
    parts = re.findall("%.?", pattern)
    if unknown := sorted({*parts} - DATE_PARTS.keys()):
        raise ValueError(f"{pattern} holds {', '.join(unknown)}; known are {' '.join(DATE_PARTS)}")
    if len({*parts}) < len(parts):
        raise ValueError(f"{pattern} holds a part twice")
    if not ({"%m", "%d"} <= {*parts} and {"%Y", "%y"} & {*parts}):
        raise ValueError(f"{pattern} needs %Y or %y, %m and %d")
    return pattern


def _in_a_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


DatePattern = Annotated[str, AfterValidator(_date_pattern)]
Words = Annotated[list[str], BeforeValidator(_in_a_list)]
"""One text or a list of them."""

Condition = dict[str, Words]
"""Columns, and the values that each may have; "" stands for an empty field."""


class _Texts(yaml.SafeLoader):
    """YAML in which only null is a word of its own: 0108, NO and 1.50 stay the texts they are."""

    yaml_implicit_resolvers: ClassVar = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith(":null")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


class SourceFile(Strict):
    """How one file of the source is read; every value is text at first."""

    path: str
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: str = "utf-8"
    quote: str | None = '"'
    header: bool = True
    columns: list[str] | None = None
    skip_lines: int = Field(default=0, ge=0)
    strip: bool = True
    empty: list[str] = []
    half_width: list[str] = []

    @model_validator(mode="after")
    def _names_its_columns(self) -> Self:
        if not self.header and not self.columns:
            raise ValueError("a file without header needs its columns named")
        return self


class Lookup(Strict):
    """Replace a value by that of another file: the row whose `key` equals it gives `value`."""

    file: str
    key: str
    value: str


class Choice(Strict):
    """One line of a decision table; without `when` it is the rest."""

    when: Condition = {}
    value: str | None


class Source(Strict):
    """One field: where its value comes from, and what is done to it, in the order of the keys."""

    origin: str | None = Field(default=None, alias="from")
    choose: list[Choice] | None = None
    json_of: dict[str, str] | None = Field(default=None, alias="json")
    slice: tuple[int, int] | None = None
    lookup: Lookup | None = None
    above: float | None = None
    map: dict[str, str | None] | None = None
    otherwise: Literal["reject", "keep", "empty"] = "reject"
    date: Annotated[list[DatePattern], BeforeValidator(_in_a_list)] = Field(
        default=["%Y-%m-%d"], min_length=1
    )
    century: int | None = Field(default=None, multiple_of=100)
    month_offset: int = Field(default=0, ge=0, le=80)
    shift_years: int = 0
    add_months: str | None = None
    at: time | None = None
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    scale: Decimal = Decimal(1)
    absolute: bool = False

    @model_validator(mode="after")
    def _has_one_origin(self) -> Self:
        if sum(o is not None for o in (self.origin, self.choose, self.json_of)) != 1:
            raise ValueError("say exactly one of from, choose, json")
        return self

    def columns(self) -> list[str]:
        """The columns that it names, in the order in which it names them."""
        texts = [self.origin or "", *(choice.value or "" for choice in self.choose or [])]
        named = [column for text in texts for column in COLUMN.findall(text)]
        named += [column for choice in self.choose or [] for column in choice.when]
        named += (self.json_of or {}).values()
        return list(dict.fromkeys([*named, *([self.add_months] if self.add_months else [])]))


def _from_text(value: object) -> object:
    return {"from": value} if isinstance(value, str) else value


FieldSource = Annotated[Source, BeforeValidator(_from_text)]


class Join(Strict):
    """Columns of another file, taken from the one row that agrees with ours."""

    file: str
    on: dict[str, str]
    where: Condition = {}
    take: dict[str, str]


class DayEnd(Strict):
    """Which booking closes a day.

    running_sum: the source has no order, it is the one whose balance is nearest to the sum of all.
    file_order: it is the latest, and of one moment the one that stands last in the file.
    """

    rule: Literal["running_sum", "file_order"]
    tolerances: list[Decimal] = [Decimal("0.01")]


class Part(Strict):
    """Rows of one file that become rows of one target."""

    file: str
    where: Condition = {}
    unless: Condition = {}
    first_of: Words = []
    join: list[Join] = []
    fields: dict[str, FieldSource]
    totals_by: str | None = None
    day_end: DayEnd | None = None


class Mapping(Strict):
    """A whole source."""

    source: str
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    zone: Annotated[str, AfterValidator(_known_zone)]
    business_time: datetime | None = None
    files: dict[str, SourceFile]
    customers: list[Part] = []
    accounts: list[Part] = []
    holdings: list[Part] = []
    events: list[Part] = []

    def parts(self, kind: str) -> list[Part]:
        return getattr(self, kind)

    @model_validator(mode="after")
    def _fits_the_imports(self) -> Self:
        faults = [
            fault
            for kind, target in TARGETS.items()
            for index, part in enumerate(self.parts(kind))
            for fault in _faults(part, target, f"{kind}[{index}]", self)
        ]
        if faults:
            raise ValueError("; ".join(faults))
        return self


def _faults(part: Part, target: Import, place: str, mapping: Mapping) -> list[str]:
    files = [part.file, *(join.file for join in part.join)]
    files += [field.lookup.file for field in part.fields.values() if field.lookup]
    missing = target.required - part.fields.keys()
    unknown = part.fields.keys() - set(target.schema.names)
    faults = [f"{place}: no file {file}" for file in files if file not in mapping.files]
    faults += [f"{place}: {name} is required" for name in sorted(missing)]
    if unknown:
        known = ", ".join(target.schema.names)
        faults.append(f"{place}: {target.kind} have no {', '.join(sorted(unknown))}, only {known}")
    if part.day_end and not {"holding_id", "balance_after"} <= part.fields.keys():
        faults.append(f"{place}: day_end needs holding_id and balance_after")
    return faults


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file.

    Raises:
        MappingRefused: if it is no YAML, does not fit, or speaks of consents.
    """
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Texts)  # noqa: S506 - a SafeLoader
    except yaml.YAMLError as error:
        raise MappingRefused(f"{path.name} is no YAML: {error}") from None
    return parse_mapping(document, name=path.name)


def parse_mapping(document: Any, *, name: str = "mapping") -> Mapping:
    """A mapping from what its YAML says; raises MappingRefused."""
    if _speaks_of_consents(document):
        raise MappingRefused(
            f"{name}: a mapping grants no consent; consents are given by customers, "
            "through the API or the consents import"
        )
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        raise MappingRefused(f"{name}:\n{_in_words(error)}") from None


def _speaks_of_consents(document: Any) -> bool:
    if not isinstance(document, dict):
        return False
    parts = [
        part for kind in TARGETS for part in document.get(kind) or [] if isinstance(part, dict)
    ]
    fields = {name for part in parts for name in part.get("fields") or {}}
    return bool(CONSENT_WORDS & (document.keys() | fields))


def _in_words(error: ValidationError) -> str:
    return "\n".join(
        f"  {'.'.join(map(str, fault['loc'])) or 'the whole'}: "
        f"{fault['msg'].removeprefix('Value error, ')}"
        for fault in error.errors()
    )
