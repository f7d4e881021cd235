from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.segment.attributes.domain import AttributeEntry, Owner
from shared.rules import AttributeType

PLAIN = r"^[^\x00]*$"  # PostgreSQL has no place for NUL
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=PLAIN)]
Word = Annotated[str, Field(max_length=64, pattern=PLAIN)]
EnumValue = Annotated[str, Field(min_length=1, max_length=64, pattern=PLAIN)]


class AttributeUpdate(BaseModel):
    """An attribute as a bank declares it."""

    model_config = ConfigDict(extra="forbid")

    owner: Owner = Field(default=Owner.PROFILE, description="The one service that writes it")
    type: AttributeType = Field(description="Numbers are float64 in rules")
    zh: Label = Field(description="Chinese label")
    en: Label = Field(description="English label")
    unit: Word = Field(default="", description="Unit of its values, empty for none")
    definition: str = Field(
        default="", max_length=2_000, pattern=PLAIN, description="What it counts, in words"
    )
    values: list[EnumValue] = Field(
        default=[], max_length=1_000, description="What an enum may be, best first"
    )
    sensitive: bool = Field(
        default=False, description="Rules that use it need the flag `separate_consent`"
    )

    def to_domain(self, name: str) -> AttributeEntry:
        """The entry of this name."""
        fields = self.model_dump(exclude={"values"})
        return AttributeEntry(name=name, values=tuple(self.values), **fields)


class AttributeRead(AttributeUpdate):
    model_config = ConfigDict(from_attributes=True)

    name: str = Field(description="The name rules use")
    version: int = Field(description="Counts changes; the ETag")
