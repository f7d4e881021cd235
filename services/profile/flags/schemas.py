from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from services.profile.parameters import Strict


class FlagsPut(Strict):
    """Only what is sent changes."""

    is_frozen: bool | None = None
    in_hardship: bool | None = None
    in_collection: bool | None = None
    is_deceased: bool | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.raised():
            raise ValueError("name at least one flag")
        return self

    def raised(self) -> dict[str, bool]:
        """Return what was sent."""
        return self.model_dump(exclude_none=True)


class FlagsRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    is_deceased: bool
    is_frozen: bool
    in_hardship: bool
    in_collection: bool
