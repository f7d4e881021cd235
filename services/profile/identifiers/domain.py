"""Personal identifiers: how they are written alike, and what is shown of them."""

import unicodedata
from enum import StrEnum


class Kind(StrEnum):
    NAME = "name"
    NATIONAL_ID = "national_id"
    PHONE = "phone"
    EMAIL = "email"
    WECHAT_OPENID = "wechat_openid"


KINDS = tuple(kind.value for kind in Kind)


def normalised(kind: str, value: str) -> str:
    """Return the form in which two spellings of one identifier are equal."""
    text = unicodedata.normalize("NFKC", value).strip()
    match kind:
        case Kind.PHONE:
            digits = "".join(c for c in text if c.isdigit() or c == "+")
            return digits.removeprefix("+86").removeprefix("0086")
        case Kind.NATIONAL_ID:
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
        case Kind.NATIONAL_ID:
            return _middle(value, 3, 4)
        case Kind.EMAIL:
            local, _, domain = value.partition("@")
            return f"{local[:1]}***@{domain}"
        case _:
            return _middle(value, 2, 2)


def _middle(value: str, first: int, last: int) -> str:
    if len(value) <= first + last:
        return "*" * len(value)
    return value[:first] + "*" * (len(value) - first - last) + value[-last:]
