"""Where the bank and the customer meet."""

from dataclasses import dataclass
from enum import StrEnum

from services.strategy.entries.domain import Fields
from shared.errors import Invalid


class UnknownChannel(Invalid):
    code = "unknown_channel"
    title = "There is no channel of this key"


class Direction(StrEnum):
    """`in`: the customer came to us (a page, a counter); `out`: we reach out."""

    IN = "in"
    OUT = "out"


class Manner(StrEnum):
    """How a contact out reaches the customer: it decides which quiet hours bind it."""

    PAGE = "page"
    MESSAGE = "message"
    CALL = "call"
    FACE = "face"


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One channel; `is_staffed`: a person carries it."""

    key: str
    zh: str
    en: str
    directions: frozenset[Direction] = frozenset(Direction)
    manner: Manner = Manner.MESSAGE
    is_staffed: bool = False
    unit_cost_cny: float = 0.0

    @property
    def is_face_to_face(self) -> bool:
        """Both sit together, so that a sale can be recorded (双录)."""
        return self.manner is Manner.FACE


def channel_of(key: str, fields: Fields) -> Channel:
    """Read a channel from its catalogue entry."""
    return Channel(
        key=key,
        zh=fields.text("zh"),
        en=fields.text("en"),
        directions=frozenset(Direction(name) for name in fields.texts("directions")),
        manner=Manner(fields.text("kind", Manner.MESSAGE)),
        is_staffed=fields.flag("staffed"),
        unit_cost_cny=fields.number("unit_cost"),
    )
