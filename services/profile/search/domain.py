"""What a customer is looked for by; all that is named must hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

SCOPE_OF_SEGMENTS = "segments:read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Identifiers by kind, a name as it is written or sounds, where the customer belongs, a tag."""

    identifiers: Mapping[str, str]
    name: str | None
    phone_end: str | None
    rm_id: str | None
    org_path: str | None
    segment: str | None
    tag: str | None = None

    @property
    def is_narrow(self) -> bool:
        """Tell whether few customers come into question before the segment is asked."""
        return bool(self.identifiers or self.name or self.phone_end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What is sought, as the tables know it: each entry of `tokens` is a choice of one of them.

    `tag` is borne at `now`.
    """

    digests: Mapping[str, bytes]
    tokens: tuple[tuple[int, ...], ...]
    rm_id: str | None
    org_path: str | None
    tag: str | None
    now: datetime
