"""Whose customers a caller may see."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The part of the bank a caller is narrowed to; None: not narrowed that way."""

    customer: str | None = None
    org: str | None = None
    rm: str | None = None

    @property
    def is_everything(self) -> bool:
        return self == Scope()
