"""Personal identifiers: how they are written alike, and what is shown of them."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.errors import FieldError, Invalid


class Kind(StrEnum):
    NAME = "name"
    NATIONAL_ID = "national_id"
    SOCIAL_CREDIT_CODE = "social_credit_code"
    PHONE = "phone"
    EMAIL = "email"
    WECHAT_OPENID = "wechat_openid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmasking:
    """That somebody read a customer's identifiers in plain text, which and what for."""

    unmasking_id: str
    customer_id: str
    at: datetime
    actor: str
    client_id: str
    purpose: str
    fields: tuple[str, ...]


class UnknownPurpose(Invalid):
    code = "unknown_purpose"
    title = "Identifiers are not read for such a purpose"


KINDS = tuple(kind.value for kind in Kind)
END_DIGITS = 4
_PARTS = re.compile(r"[^\W_a-zà-ÿ0-9]|[a-zà-ÿ0-9]+")


def normalised(kind: str, value: str) -> str:
    """Return the form in which two spellings of one identifier are equal."""
    text = unicodedata.normalize("NFKC", value).strip()
    match kind:
        case Kind.PHONE:
            digits = "".join(c for c in text if c.isdigit() or c == "+")
            return digits.removeprefix("+86").removeprefix("0086")
        case Kind.NATIONAL_ID | Kind.SOCIAL_CREDIT_CODE:
            return text.replace(" ", "").upper()
        case Kind.EMAIL:
            return text.lower()
        case _:
            return text


def masked(kind: str, value: str) -> str:
    """Return what may be shown without a purpose: 张*, 138****5678, 110********12X, a***@b.cn."""
    match kind:
        case Kind.NAME:
            return value[:1] + "*" * max(len(value) - 1, 1)
        case Kind.PHONE:
            return _middle(value, 3, 4)
        case Kind.NATIONAL_ID | Kind.SOCIAL_CREDIT_CODE:
            return _middle(value, 3, 4)
        case Kind.EMAIL:
            local, _, domain = value.partition("@")
            return f"{local[:1]}***@{domain}"
        case _:
            return _middle(value, 2, 2)


def phone_end(phone: str) -> str | None:
    """Return the last four digits of a phone; None if it has fewer."""
    digits = [c for c in normalised(Kind.PHONE, phone) if c.isdigit()]
    return "".join(digits[-END_DIGITS:]) if len(digits) >= END_DIGITS else None


def spelt(text: str) -> str:
    """Return the form in which two ways to type a name in letters are equal."""
    plain = unicodedata.normalize("NFKC", text).lower().replace("ü", "v")
    return "".join(c for c in plain if c.isalnum())


def spellings(name: str, readings: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Return the (pinyin, initials) under which a name may be looked for, the usual one first.

    At most one character is read in another way than usual: the surname 单 is shan, not dan.

    Args:
        name: in characters, letters or both.
        readings: of characters, the usual one first.
    """
    known = [_syllables(part, readings) for part in _parts(name)]
    if not known:
        return []
    usual = [syllables[0] for syllables in known]
    forms = [usual] + [
        [*usual[:place], other, *usual[place + 1 :]]
        for place, syllables in enumerate(known)
        for other in syllables[1:]
    ]
    return list(dict.fromkeys(("".join(form), "".join(each[0] for each in form)) for form in forms))


def check_purpose(purpose: str, known: Iterable[str]) -> None:
    """Refuse a purpose that the catalogue does not name.

    Raises:
        UnknownPurpose: lists those there are.
    """
    purposes = sorted(known)
    if purpose not in purposes:
        raise UnknownPurpose(
            f"The purposes are {', '.join(purposes)}",
            errors=[FieldError("/purpose", "unknown purpose")],
        )


def _parts(name: str) -> list[str]:
    """Split a name into its Chinese characters and its words in letters."""
    plain = unicodedata.normalize("NFKC", name).lower()
    return [part for part in _PARTS.findall(plain) if spelt(part)]


def _syllables(part: str, readings: Mapping[str, Sequence[str]]) -> Sequence[str]:
    return readings.get(part) or (spelt(part),)


def _middle(value: str, first: int, last: int) -> str:
    if len(value) <= first + last:
        return "*" * len(value)
    return value[:first] + "*" * (len(value) - first - last) + value[-last:]
