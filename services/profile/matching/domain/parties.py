"""What of a customer is compared with others, written alike."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.profile.identifiers.domain import Kind, normalised

_BETWEEN_WORDS = re.compile(r"[\s,;·•.'’-]+")


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


def _alike(text: str) -> str:
    return " ".join(text.casefold().split())
