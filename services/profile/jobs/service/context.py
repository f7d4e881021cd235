"""What the import of a chunk stands on."""

from dataclasses import dataclass
from datetime import datetime

from services.profile.identifiers.service import KeyRing
from shared.clock import BusinessClock


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one import."""

    clock: BusinessClock
    ring: KeyRing
    currency: str
    client_id: str

    @property
    def now(self) -> datetime:
        return self.clock.now()
