"""Every enum and reason code with its labels, as the catalogue file states them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One word of one vocabulary, such as `sms` of `channel`."""

    kind: str
    code: str
    label_zh: str
    label_en: str


def codes_of(vocabularies: Iterable[Mapping[str, Any]]) -> list[Code]:
    """Read `catalogue/codes.yaml`: vocabularies, each with its values."""
    return [
        Code(
            kind=vocabulary["key"],
            code=str(value["key"]),
            label_zh=value["zh"],
            label_en=value["en"],
        )
        for vocabulary in vocabularies
        for value in vocabulary["values"]
    ]
