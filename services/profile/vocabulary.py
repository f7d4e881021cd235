"""The words that profile is written in: catalogue data, read once."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import orjson
import yaml

from shared.paths import ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class DataField:
    """A field of an event's data; bounds are inclusive, `longest` counts characters."""

    name: str
    type: Literal["text", "code", "integer", "number", "boolean", "day", "moment"]
    zh: str
    en: str
    unit: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    longest: int | None = None
    values: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """What can happen; `counts` names the counter it feeds besides activity and flow.

    A bank's own type counts as nothing.
    """

    name: str
    zh: str
    en: str
    meaning: "Label"
    initiated: bool = False
    transaction: bool = False
    flow: str | None = None
    external: bool = False
    counts: str | None = None
    data: tuple[DataField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A product category; the balance of an `asset` is part of AUM."""

    key: str
    zh: str
    en: str
    asset: bool
    suitability: bool
    flow: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word as people read it."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What `to` is to `from` more closely; `reverse` is the role that `from` then has."""

    key: str
    label: Label
    reverse: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationKind:
    """How two parties may be related: `to` is the `label` of `from`, `from` the `reverse` of `to`.

    `one` is the side whose party has at most one such relation at a time.
    """

    key: str
    label: Label
    reverse: Label
    from_types: frozenset[str]
    to_types: frozenset[str]
    symmetric: bool
    acyclic: bool
    one: str | None
    links: bool
    has_share: bool
    owner_share: float | None
    key_person: bool
    largest_set: int | None
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class KycItem:
    """Something to know about a customer; if a `fact` is named, what is stated there fills it."""

    key: str
    label: Label
    party_types: frozenset[str]
    fact: str | None
    question: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkCard:
    """What to tell a customer for whom the rule holds."""

    key: str
    label: Label
    rule: str
    talk: Label


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceRates:
    """What the average balance of a category earns and loses, in % a year."""

    key: str
    spread: Decimal
    risk: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Something that earns or costs `rate` each time: % of an amount, or money for one `unit`."""

    key: str
    label: Label
    unit: str
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ContributionRates:
    """What a customer brings and costs; `contacts` are the channels out that no person staffs."""

    balances: Mapping[str, BalanceRates]
    overdue: Label
    overdue_days: int
    overdue_risk: Decimal
    once: Mapping[str, Driver]
    costs: Mapping[str, Driver]
    contacts: Mapping[str, Driver]
    minutes: Mapping[str, int]


@cache
def event_types() -> dict[str, EventType]:
    """The event types by name."""
    return {entry["name"]: event_type(entry) for entry in _read("event_types.yaml")}


def event_type(entry: Mapping[str, Any]) -> EventType:
    """Return an event type as the catalogue writes it."""
    parts: dict[str, Any] = {
        "meaning": _label(entry["meaning"]),
        "data": tuple(_data_field(**field) for field in entry["data"]),
    }
    return EventType(**{**entry, **parts})


def _data_field(*, values: Iterable[str] = (), **parts: Any) -> DataField:
    return DataField(values=tuple(values), **parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeWord:
    """An entry of the shipped attribute catalogue: what rules may ask about a customer."""

    name: str
    owner: str
    type: str
    unit: str
    zh: str
    en: str
    definition: str
    sensitive: bool = False
    values: tuple[str, ...] = ()


@cache
def attributes() -> dict[str, AttributeWord]:
    """The shipped attributes of all services, by name."""
    return {entry["name"]: _attribute(**entry) for entry in _read("attributes.yaml")}


@cache
def own_attributes() -> dict[str, AttributeWord]:
    """The shipped attributes that profile owns, by name."""
    return {name: each for name, each in attributes().items() if each.owner == "profile"}


def _attribute(*, values: Iterable[str] = (), **parts: Any) -> AttributeWord:
    return AttributeWord(values=tuple(values), **parts)


@cache
def categories() -> dict[str, Category]:
    """The product categories by key."""
    return {entry["key"]: Category(**entry) for entry in _read("categories.yaml")}


@cache
def relation_kinds() -> dict[str, RelationKind]:
    """The kinds of relation by key."""
    return {entry["key"]: _relation_kind(entry) for entry in _read("relation_kinds.yaml")}


@cache
def kyc_items() -> dict[str, KycItem]:
    """The items of the KYC card by key, in the order of the card."""
    return {entry["key"]: _kyc_item(entry) for entry in _read("kyc_items.yaml")["items"]}


@cache
def kyc_valid_months() -> int:
    """For how many months a KYC item counts after it was confirmed."""
    return _read("kyc_items.yaml")["valid_months"]


@cache
def talk_cards() -> tuple[TalkCard, ...]:
    """The talk cards, each with the rule of its shipped group."""
    rules = {group["key"]: group["rule"] for group in _read("groups.yaml")}
    return tuple(
        TalkCard(
            key=entry["key"],
            label=_label(entry),
            rule=rules[entry["group"]],
            talk=_label(entry["talk"]),
        )
        for entry in _read("kyc_items.yaml")["talk_cards"]
    )


@cache
def needs() -> dict[str, Label]:
    """The codes of needs."""
    return {entry["key"]: _label(entry) for entry in _read("needs.yaml")["needs"]}


@cache
def goals() -> dict[str, Label]:
    """The kinds of financial goals."""
    return {entry["key"]: _label(entry) for entry in _read("needs.yaml")["goals"]}


@cache
def contribution() -> ContributionRates:
    """The rates that net contribution is reckoned with."""
    read: dict[str, Any] = _read("contribution.yaml")
    overdue = read["overdue"]
    return ContributionRates(
        balances={
            entry["key"]: BalanceRates(
                key=entry["key"], spread=Decimal(entry["spread"]), risk=Decimal(entry["risk"])
            )
            for entry in read["balances"]
        },
        overdue=_label(overdue),
        overdue_days=overdue["days"],
        overdue_risk=Decimal(overdue["risk"]),
        once=_drivers(
            {**entry, "unit": "bank_currency", "rate": entry["percent"]} for entry in read["once"]
        ),
        costs=_drivers({**entry, "rate": entry["cost"]} for entry in read["costs"]),
        contacts=_drivers(
            {**entry, **entry.get("out", {}), "unit": "contact", "rate": entry["unit_cost"]}
            for entry in _read("channels.yaml")
            if "out" in entry["directions"] and not entry["staffed"]
        ),
        minutes={entry["key"]: entry["minutes"] for entry in read["minutes"]},
    )


def _drivers(entries: Iterable[Mapping[str, Any]]) -> dict[str, Driver]:
    return {
        entry["key"]: Driver(
            key=entry["key"],
            label=_label(entry),
            unit=entry["unit"],
            rate=Decimal(entry["rate"]),
        )
        for entry in entries
    }


@cache
def cost_pressures() -> tuple[tuple[str, date, float], ...]:
    """How prices of an industry stand against a year before, from the day on that is known."""
    return tuple(
        (entry["key"], _month(entry["since"], place + 1), index / entry["index"][place - 12] - 1)
        for entry in _read("industry_prices.yaml")
        for place, index in enumerate(entry["index"])
        if place >= 12
    )


def _month(since: str, later: int) -> date:
    year, month = map(int, since.split("-"))
    years, months = divmod(month - 1 + later, 12)
    return date(year + years, months + 1, 1)


def _relation_kind(entry: dict[str, Any]) -> RelationKind:
    plain = ("key", "symmetric", "acyclic", "one", "links", "has_share", "owner_share")
    return RelationKind(
        **{name: entry[name] for name in (*plain, "key_person", "largest_set")},
        label=_label(entry),
        reverse=_label(entry["reverse"]),
        from_types=frozenset(entry["from"]),
        to_types=frozenset(entry["to"]),
        roles={
            role["key"]: Role(key=role["key"], label=_label(role), reverse=role["reverse"])
            for role in entry["roles"]
        },
    )


def _kyc_item(entry: dict[str, Any]) -> KycItem:
    return KycItem(
        key=entry["key"],
        label=_label(entry),
        party_types=frozenset(entry["party_types"]),
        fact=entry["fact"],
        question=_label(entry["question"]),
    )


def _label(entry: Mapping[str, str]) -> Label:
    return Label(zh=entry["zh"], en=entry["en"])


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSystem:
    """A system whose references lead to customers; a `sealed` one's are personal."""

    key: str
    zh: str
    en: str
    sealed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """An entry that is its labels and no more."""

    key: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualRule:
    """Two customers who bear the same identifiers of all these kinds are proposed as one."""

    key: str
    kinds: tuple[str, ...]
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """How far two values agree; `of` is the field, `at` the bound of the measure."""

    key: str
    measure: Literal["equal", "jaro_winkler", "edits", "shares_word"]
    of: str
    at: float
    by_frequency: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One field of two records compared; the first level that holds counts."""

    key: str
    zh: str
    en: str
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage:
    """The model of the batch run; `catalogue/matching.yaml` says what each setting means."""

    party_types: tuple[str, ...]
    propose_from: float
    alike: tuple[tuple[str, ...], ...]
    recall: float
    learn_from: tuple[tuple[str, ...], ...]
    compare: tuple[tuple[str, ...], ...]
    sampled_pairs: int
    seed: int
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """When two records may be one party."""

    equal: tuple[EqualRule, ...]
    most_bearers: int
    refusals: Mapping[str, Word]
    linkage: Linkage


@cache
def source_systems() -> dict[str, SourceSystem]:
    """The systems that references may be of, by key."""
    return {entry["key"]: SourceSystem(**entry) for entry in _read("source_systems.yaml")}


@cache
def unmasking_purposes() -> dict[str, Word]:
    """What personal identifiers may be read in plain text for, by key."""
    return {entry["key"]: Word(**entry) for entry in _read("unmasking.yaml")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Why some attributes are held: legal ground, purposes, source, and the store they are in."""

    key: str
    zh: str
    en: str
    ground: str
    purposes: tuple[str, ...]
    source: str
    store: str
    attributes: tuple[str, ...]


@cache
def grounds() -> tuple[Ground, ...]:
    """On which ground attributes are held, group by group."""
    return tuple(
        Ground(**each | {name: tuple(each[name]) for name in ("purposes", "attributes")})
        for each in _read("grounds.yaml")
    )


@dataclass(frozen=True, slots=True)
class Recipients:
    """Handlers outside the bank, and what of a customer may be handed over at all."""

    sharable: tuple[str, ...]
    recipients: Mapping[str, Word]


@cache
def recipients() -> Recipients:
    """To whom personal data may go."""
    read: dict[str, Any] = _read("recipients.yaml")
    words = {entry["key"]: Word(**entry) for entry in read["recipients"]}
    return Recipients(tuple(read["sharable"]), words)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerKind:
    """Whom managers serve; `capacity` is how many customers one usually looks after at most."""

    key: str
    label: Label
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipRule:
    """Which customers without a manager go to managers of which kind, of their org unit or above.

    `catalogue/ownership.yaml` says what each field means.
    """

    key: str
    label: Label
    rule: str
    serves: str
    org: Literal["same", "nearest"]
    separate_consent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipWords:
    """Who looks after whom; why customers are handed over, and why somebody objects."""

    reasons: Mapping[str, Word]
    disputes: Mapping[str, Word]
    kinds: Mapping[str, ManagerKind]
    rules: tuple[OwnershipRule, ...]


@cache
def ownership() -> OwnershipWords:
    """The words and the shipped rules of who looks after whom."""
    read: dict[str, Any] = _read("ownership.yaml")
    return OwnershipWords(
        reasons={entry["key"]: Word(**entry) for entry in read["reasons"]},
        disputes={entry["key"]: Word(**entry) for entry in read["disputes"]},
        kinds={
            entry["key"]: ManagerKind(
                key=entry["key"], label=_label(entry), capacity=entry["capacity"]
            )
            for entry in read["manager_kinds"]
        },
        rules=tuple(
            OwnershipRule(
                key=entry["key"],
                label=_label(entry),
                rule=entry["rule"],
                serves=entry["serves"],
                org=entry["org"],
                separate_consent=entry.get("separate_consent", False),
            )
            for entry in read["rules"]
        ),
    )


@dataclass(frozen=True, slots=True)
class Rights:
    """Within how many days a rights request is answered, and why it may be refused."""

    due_days: int
    refusals: Mapping[str, Word]


@cache
def rights() -> Rights:
    """How the requests of persons about their data are answered."""
    read: dict[str, Any] = _read("rights.yaml")
    return Rights(read["due_days"], {entry["key"]: Word(**entry) for entry in read["refusals"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertKind:
    """What staff are alerted to; `catalogue/alerts.yaml` says what each field means."""

    key: str
    label: Label
    severity: Literal["info", "warning", "critical"]
    rule: str
    yields_to: str | None
    todo: Label
    shown: tuple[str, ...]
    quiet_days: int
    separate_consent: bool
    is_active: bool = True


@cache
def alert_kinds() -> dict[str, AlertKind]:
    """The shipped alerts by key."""
    rules = {group["key"]: group["rule"] for group in _read("groups.yaml")}
    return {
        entry["key"]: AlertKind(
            key=entry["key"],
            label=_label(entry),
            severity=entry["severity"],
            rule=rules[entry["group"]] if "group" in entry else entry["rule"],
            yields_to=entry.get("yields_to"),
            todo=_label(entry["todo"]),
            shown=tuple(entry["shown"]),
            quiet_days=entry["quiet_days"],
            separate_consent=entry.get("separate_consent", False),
        )
        for entry in _read("alerts.yaml")["alerts"]
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class TagKind:
    """A mark that customers may bear; `catalogue/tags.yaml` says what each field means."""

    key: str
    label: Label
    meaning: Label
    owner: str
    source: Literal["person", "rule", "model"]
    ground: str
    values: tuple[Word, ...] = ()
    valid_days: int | None = None
    rule: str | None = None
    sensitive: bool = False
    separate_consent: bool = False
    for_customer: bool = False
    is_active: bool = True


def tag_kind(body: Mapping[str, Any]) -> TagKind:
    """Return a kind of tag as it was written."""
    parts: dict[str, Any] = {
        "label": Label(**body["label"]),
        "meaning": Label(**body["meaning"]),
        "values": tuple(Word(**each) for each in body.get("values", ())),
    }
    return TagKind(**{**body, **parts})


@cache
def tag_kinds() -> dict[str, TagKind]:
    """The shipped tags by key."""
    return {
        entry["key"]: tag_kind(
            {name: each for name, each in entry.items() if name not in ("zh", "en")}
            | {"label": {name: entry[name] for name in ("zh", "en")}}
        )
        for entry in _read("tags.yaml")
    }


@cache
def acknowledgements() -> dict[str, Word]:
    """Why somebody needs to see an alert no more, by key."""
    return {entry["key"]: Word(**entry) for entry in _read("alerts.yaml")["acknowledgements"]}


@cache
def readings() -> dict[str, tuple[str, ...]]:
    """How Chinese characters are read, without tones, the usual reading first.

    The file of `pypinyin` alone: its code would load four times as much with it.
    """
    spec = find_spec("pypinyin")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pypinyin is not installed")
    told = orjson.loads(Path(spec.origin).with_name("pinyin_dict.json").read_bytes())
    return {chr(int(code)): _without_tones(text) for code, text in told.items()}


def _without_tones(text: str) -> tuple[str, ...]:
    """Return readings as they are typed: ü as v, without marks, each once."""
    marked = unicodedata.normalize("NFD", text).replace("u\u0308", "v")
    plain = "".join(letter for letter in marked if not unicodedata.combining(letter))
    return tuple(dict.fromkeys(plain.split(",")))


@cache
def matching() -> Matching:
    """When two records may be one party."""
    read: dict[str, Any] = _read("matching.yaml")
    return Matching(
        equal=tuple(EqualRule(**rule | {"kinds": tuple(rule["kinds"])}) for rule in read["equal"]),
        most_bearers=read["most_bearers"],
        refusals={entry["key"]: Word(**entry) for entry in read["refusals"]},
        linkage=_linkage(read["linkage"]),
    )


def _linkage(read: dict[str, Any]) -> Linkage:
    return Linkage(
        party_types=tuple(read["party_types"]),
        propose_from=read["propose_from"],
        alike=_fields(read["alike"]["fields"]),
        recall=read["alike"]["recall"],
        learn_from=_fields(read["learn_from"]),
        compare=_fields(read["compare"]),
        sampled_pairs=read["sampled_pairs"],
        seed=read["seed"],
        comparisons=tuple(_comparison(**each) for each in read["comparisons"]),
    )


def _fields(read: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(names) for names in read)


def _comparison(*, key: str, zh: str, en: str, levels: list[dict[str, Any]]) -> Comparison:
    usual: dict[str, Any] = {"of": key, "at": 0.0, "by_frequency": False}
    return Comparison(key=key, zh=zh, en=en, levels=tuple(Level(**usual | each) for each in levels))


def _read(name: str) -> Any:
    return yaml.safe_load((ROOT / "catalogue" / name).read_text())
