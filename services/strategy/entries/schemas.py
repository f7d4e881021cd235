"""What every catalogue object answers besides its own fields."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, field_validator

Key = Annotated[str, Path(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="Stable snake_case key")]


class Body(BaseModel):
    """A part of a request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, serialize_by_alias=True)

    @field_validator("*")
    @classmethod
    def _has_no_nul(cls, value: object) -> object:
        """Refuse the one character that PostgreSQL cannot keep."""
        if isinstance(value, str) and "\x00" in value:
            raise ValueError("may not hold the character U+0000")
        return value


class Labelled(Body):
    zh: str = Field(min_length=1, max_length=200, description="Chinese label")
    en: str = Field(min_length=1, max_length=200, description="English label")


class Label(Body):
    zh: str = Field(max_length=500, description="In Chinese")
    en: str = Field(max_length=500, description="In English")


class Versioned(BaseModel):
    """Provenance; the ETag is the version."""

    key: str = Field(description="Stable key")
    version: int = Field(description="Counts the versions of this object")
    catalogue_version: int = Field(description="Version of the whole catalogue it came with")
    author: str = Field(description="Who wrote this version")
    approver: str | None = Field(description="Who approved it; never the author")
    updated_at: datetime = Field(description="Business time")
