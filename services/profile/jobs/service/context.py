"""What the import of a chunk stands on."""

from dataclasses import dataclass
from datetime import datetime

from services.profile.identifiers.service import KeyRing
from shared.clock import BusinessClock


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of one import.

    One that `is_late` is of an older day than what landed from its source: it adds what is not
    there, and leaves what is as the newer day has it.
    """

    clock: BusinessClock
    ring: KeyRing
    currency: str
    client_id: str
    is_late: bool = False

    @property
    def now(self) -> datetime:
        return self.clock.now()
