"""Why something may not be offered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TypeAlias

Fact: TypeAlias = str | float | bool | None


class Stage(IntEnum):
    """The stages of the funnel in their order."""

    ELIGIBILITY = 1
    APPLICABILITY = 2
    SUITABILITY = 3
    CONSENT = 4
    CONTACT_POLICY = 5
    ARBITRATION = 6
    LIMITS = 7


@dataclass(frozen=True, slots=True)
class Refusal:
    """The stage at which a candidate fell, the reason code, and the values it fell on."""

    stage: Stage
    code: str
    values: Mapping[str, Fact] = field(default_factory=dict[str, Fact])
