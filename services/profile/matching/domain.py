"""What tells that two records are one party: equal identifiers, and fields that agree."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

import pyarrow as pa

from services.profile.identifiers.domain import Kind, normalised
from services.profile.vocabulary import EqualRule
from shared.errors import NotFound

FIELDS = pa.schema(
    [
        ("customer_id", pa.string()),
        ("name", pa.string()),
        ("name_words", pa.list_(pa.string())),
        ("birth_date", pa.string()),
        ("city", pa.string()),
        ("email", pa.string()),
        ("email_user", pa.string()),
        ("phone", pa.string()),
        ("national_id", pa.string()),
    ]
)
"""What the linkage compares, and by what it tells parties apart."""
_BETWEEN_WORDS = re.compile(r"[\s,;·•.'’-]+")


class FoundBy(StrEnum):
    DETERMINISTIC = "deterministic"
    PROBABILISTIC = "probabilistic"


class MatchingRunState(StrEnum):
    QUEUED = "queued"
    READING = "reading"
    COMPARING = "comparing"
    COMPLETED = "completed"
    FAILED = "failed"


class Failure(StrEnum):
    NOT_INSTALLED = "linkage_not_installed"
    MEMORY_EXCEEDED = "memory_exceeded"
    KILLED_TOO_OFTEN = "killed_too_often"
    INTERNAL_ERROR = "internal_error"


def failure_of(error: Exception) -> Failure:
    """Return what is told of an error: its own words may hold what was compared."""
    match error:
        case ImportError():
            return Failure.NOT_INSTALLED
        case MemoryError():
            return Failure.MEMORY_EXCEEDED
        case _:
            return Failure.INTERNAL_ERROR


class NoSuchMatchingRun(NotFound):
    code = "no_such_run"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What one comparison said: which level held, and how much it weighs.

    `weight` is the base-2 logarithm of how much more often the level holds within one party than
    between two; below 0 it speaks against. A rule that settles the matter alone has none.
    """

    comparison: str
    level: str
    weight: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """Two customers who may be one party."""

    customer_id: str
    other_id: str
    probability: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchingRun:
    """A run that compares customers with each other."""

    run_id: str
    state: MatchingRunState
    total: int
    done: int
    proposed: int
    tries: int
    error: Failure | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """What of a customer is compared with others."""

    customer_id: str
    party_type: str
    birth_date: date | None
    city: str | None
    identifiers: Mapping[str, str]


def words(name: str) -> list[str]:
    """Return the words of a name in alphabetical order, alike however they were written.

    A Chinese name is one word: its characters are too few, and its family names too common, for a
    part of it to tell anything.
    """
    return sorted({word for word in _BETWEEN_WORDS.split(_alike(name)) if word})


def fields_of(party: Party) -> dict[str, str | list[str] | None]:
    """Return the fields that the linkage compares; None where nothing is known."""
    known = {kind: normalised(kind, value) for kind, value in party.identifiers.items()}
    name, email = known.get(Kind.NAME), known.get(Kind.EMAIL)
    return {
        "customer_id": party.customer_id,
        "name": _alike(name) if name else None,
        "name_words": (words(name) or None) if name else None,
        "birth_date": party.birth_date.isoformat() if party.birth_date else None,
        "city": _alike(party.city) if party.city else None,
        "email": email,
        "email_user": email.partition("@")[0] if email else None,
        "phone": known.get(Kind.PHONE),
        "national_id": known.get(Kind.NATIONAL_ID),
    }


def table_of(parties: Sequence[Party]) -> pa.Table:
    """Return the fields of parties as columns."""
    return pa.Table.from_pylist([fields_of(each) for each in parties], schema=FIELDS)


def equal_pair(
    customer_id: str, other_id: str, shared: Set[str], rules: Iterable[EqualRule]
) -> Proposal | None:
    """Propose two customers who bear the same identifiers of all kinds of a rule.

    Args:
        customer_id: the one.
        other_id: the other.
        shared: kinds of which both bear the same identifier.
        rules: of the catalogue.

    Returns:
        The proposal, certain, with every rule that holds; None if none does.
    """
    held = [rule.key for rule in rules if set(rule.kinds) <= shared]
    if not held:
        return None
    return Proposal(
        customer_id=customer_id,
        other_id=other_id,
        probability=1.0,
        evidence=tuple(Evidence(comparison=key, level="equal", weight=None) for key in held),
    )


def leading_kinds(rules: Sequence[EqualRule]) -> list[str]:
    """Return the kinds by which pairs are looked for: the first of each rule."""
    return sorted({rule.kinds[0] for rule in rules})


def _alike(text: str) -> str:
    return " ".join(text.casefold().split())
