"""The context card: who is calling or standing there, in which mood, and what may be talked about.

Moods, topics and reasons are data: `catalogue/context.yaml`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Word:
    """A key with its labels."""

    key: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What one fact must be; a fact that is not known holds for nothing."""

    fact: str
    values: tuple[Any, ...] | None = None
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, facts: Facts) -> bool:
        """Tell whether it is known that the condition holds."""
        value = facts.get(self.fact)
        if value is None:
            return False
        return (
            (self.values is None or value in self.values)
            and (self.at_least is None or value >= self.at_least)
            and (self.at_most is None or value <= self.at_most)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mood:
    """How a customer feels, if all conditions hold."""

    word: Word
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Something to talk about; one that `sells` is shut by every reason not to sell."""

    word: Word
    sells: bool
    when: tuple[Condition, ...]
    shut_by: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason not to sell that profile's own facts give, one of the codes of refusals."""

    code: str
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the card follows from; `unknown` says what stands for a service that is silent."""

    channel: str
    contacts: int
    moods: tuple[Mood, ...]
    topics: tuple[Topic, ...]
    reasons: tuple[Reason, ...]
    unknown: Mapping[str, Word]
    codes: Mapping[str, Word]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotToSell:
    """One reason why nothing may be sold, and what it rests on."""

    word: Word
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A topic, and what shuts it."""

    topic: Topic
    shut_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """A contact with what came of it; without an answer yet, None."""

    at: str
    channel: str | None
    kind: str
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Whom a card is about: one of an id, a phone and a reference; and where the talk is."""

    customer_id: str | None
    phone: str | None
    reference: tuple[str, str] | None
    channel: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What to know before the first word is said."""

    customer_id: str
    who: Mapping[str, Any] | None
    mood: Word | None
    last_contacts: list[Touched]
    talks: list[Talk]
    reasons: list[NotToSell]
    alerts: Sequence[Mapping[str, Any]]
    missing: list[dict[str, str]]
    channel: str
    now: datetime


def rules_of(catalogue: Mapping[str, Any], codes: Mapping[str, Word]) -> Rules:
    """Read `catalogue/context.yaml`; `codes` are the refusals with their labels."""
    return Rules(
        channel=catalogue["channel"],
        contacts=catalogue["contacts"],
        moods=tuple(
            Mood(word=_word(entry), when=_conditions(entry)) for entry in catalogue["moods"]
        ),
        topics=tuple(
            Topic(
                word=_word(entry),
                sells=entry["sells"],
                when=_conditions(entry),
                shut_by=frozenset(entry.get("shut_by", ())),
            )
            for entry in catalogue["topics"]
        ),
        reasons=tuple(
            Reason(code=entry["code"], when=_conditions(entry)) for entry in catalogue["reasons"]
        ),
        unknown={service: _word(entry) for service, entry in catalogue["unknown"].items()},
        codes=codes,
    )


def mood_of(moods: Iterable[Mood], facts: Facts) -> Word:
    """Return the first mood whose conditions all hold; the last one has none."""
    return next(mood.word for mood in moods if _all_hold(mood.when, facts))


def reasons_of(
    rules: Rules, facts: Facts, restraints: Mapping[str, Any] | None, *, channel: str
) -> list[NotToSell]:
    """Return every reason not to sell, each once: strategy's, and those of profile's own facts.

    Args:
        rules: of the catalogue.
        facts: of the customer; empty where profile is silent.
        restraints: strategy's part; None where strategy is silent.
        channel: in which the talk takes place.
    """
    told = (
        [] if restraints is None else [*restraints["everywhere"], restraints["channels"][channel]]
    )
    found = {
        each["code"]: NotToSell(word=_coded(rules, each["code"]), values=each["values"])
        for each in told
        if each is not None
    }
    for reason in rules.reasons:
        if _all_hold(reason.when, facts):
            found.setdefault(reason.code, NotToSell(word=_coded(rules, reason.code)))
    silent = {"profile": not facts, "strategy": restraints is None}
    return [
        *found.values(),
        *(NotToSell(word=rules.unknown[service]) for service, is_so in silent.items() if is_so),
    ]


def talks_of(topics: Iterable[Topic], facts: Facts, reasons: Sequence[NotToSell]) -> list[Talk]:
    """Return the topics that fit the customer, each with what shuts it."""
    codes = [reason.word.key for reason in reasons]
    return [
        Talk(
            topic=topic,
            shut_by=tuple(code for code in codes if topic.sells or code in topic.shut_by),
        )
        for topic in topics
        if _all_hold(topic.when, facts)
    ]


def touched(entries: Sequence[Mapping[str, Any]], most: int) -> list[Touched]:
    """Return the last contacts, latest first, each with the last answer to its proposition.

    Args:
        entries: profile's `touches`, latest first.
        most: how many.
    """
    contacted = {_proposition(entry) for entry in entries if entry["source"] == "contact"} - {None}
    results: dict[Any, str] = {}
    for entry in entries:
        if entry["source"] == "outcome":
            results.setdefault(_proposition(entry), entry["type"])
    return [
        Touched(
            at=entry["occurred_at"],
            channel=entry["channel"],
            kind=entry["type"] if entry["source"] == "contact" else "answered",
            result=results.get(_proposition(entry)),
        )
        for entry in entries
        if entry["source"] == "contact" or _proposition(entry) not in contacted
    ][:most]


def facts_of(parts: Mapping[str, Any], contacts: Sequence[Touched]) -> dict[str, Any]:
    """Return what is known of a customer as conditions ask for it."""
    features = (parts.get("features") or {}).get("features", {})
    complaints = parts.get("complaints") or {"items": []}
    last = contacts[0] if contacts else None
    return {
        **features,
        **(parts.get("flags") or {}),
        "consents_pending": (parts.get("consents") or {}).get("pending"),
        "open_complaints": sum(each["closed_at"] is None for each in complaints["items"]),
        "last_contact": last and (last.result or last.kind),
    }


def _proposition(entry: Mapping[str, Any]) -> Any:
    return entry["facts"].get("proposition_id")


def _all_hold(conditions: Iterable[Condition], facts: Facts) -> bool:
    return all(condition.holds(facts) for condition in conditions)


def _coded(rules: Rules, code: str) -> Word:
    return rules.codes.get(code, Word(code, code, code))


def _word(entry: Mapping[str, Any]) -> Word:
    return Word(entry["key"], entry["zh"], entry["en"])


def _conditions(entry: Mapping[str, Any]) -> tuple[Condition, ...]:
    return tuple(
        Condition(
            fact=each["fact"],
            values=(each["is"],) if "is" in each else tuple(each["in"]) if "in" in each else None,
            at_least=each.get("at_least"),
            at_most=each.get("at_most"),
        )
        for each in entry["when"]
    )
