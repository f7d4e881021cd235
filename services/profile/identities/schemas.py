from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.profile.identifiers.domain import Kind
from services.profile.identities.domain import Reference, Resolution, Sought, must_be_one
from services.profile.parameters import NO_NUL, Code, Strict

MOST_REFERENCES = 100
MOST_PARTIES = 100

Value = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=128)]


class Party(Strict):
    """What is known of somebody."""

    identifiers: dict[Kind, Value] = Field(
        default={}, description="By kind; a name only narrows what the rest leads to"
    )
    references: dict[Code, Value] = Field(
        default={}, description="By source system, one of `source_system` in `/v1/codes`"
    )

    def leads_somewhere(self) -> bool:
        """Tell whether there is more than a name."""
        return bool(self.references or self.identifiers.keys() - {Kind.NAME})

    def to_domain(self) -> Sought:
        return Sought(
            identifiers={kind.value: value for kind, value in self.identifiers.items()},
            references=self.references,
        )


class Resolve(Party):
    """One party by its own fields, or several as `items`."""

    items: Annotated[list[Party], Field(min_length=1, max_length=MOST_PARTIES)] | None = Field(
        default=None, description="Several parties in one call, instead of the other fields"
    )
    purpose: Code | None = Field(
        default=None,
        description="Who it is shall be told to a person, what for, one of `unmasking_purpose` in "
        "`/v1/codes`: kept with your name as a read of the identifiers",
    )

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.items is not None and self.model_fields_set - {"purpose"} != {"items"}:
            raise ValueError("send either items or the fields of one party")
        if not all(each.leads_somewhere() for each in self.items or [self]):
            raise ValueError("send a reference or an identifier: a name alone leads to nobody")
        return self

    def parties(self) -> list[Sought]:
        """Return whom to look for."""
        return [each.to_domain() for each in self.items or [self]]

    def answer(self, found: list[Resolution]) -> "Resolved | ResolvedMany":
        """Answer for one party, or for several in their order.

        Raises:
            NobodyFound: one was sought, and nobody was found.
            SeveralFound: one was sought, and several were found.
        """
        if self.items is None:
            return Resolved.model_validate(must_be_one(found[0]))
        return ResolvedMany(items=[ResolvedItem.model_validate(each) for each in found])


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class Resolved(_Read):
    customer_id: str
    matched_by: list[str] = Field(description="Kinds and systems by which the customer was found")


class ResolvedItem(_Read):
    customer_id: str | None = Field(description="null: nobody, or one of several candidates")
    matched_by: list[str] = Field(description="Kinds and systems by which the customer was found")
    candidates: list[str] = Field(description="Customers it may be, if there is not exactly one")


class ResolvedMany(BaseModel):
    items: list[ResolvedItem] = Field(description="In the order in which they were sought")


class ReferenceItem(_Read, Strict):
    system: Code = Field(description="One of `source_system` in `/v1/codes`")
    reference: Value = Field(description="That system's own; a sealed system's is answered masked")

    def to_domain(self) -> Reference:
        return Reference(system=self.system, reference=self.reference)


class References(_Read, Strict):
    """All references of a customer; several of one system are welcome."""

    references: Annotated[list[ReferenceItem], Field(max_length=MOST_REFERENCES)]

    def to_domain(self) -> list[Reference]:
        return [each.to_domain() for each in self.references]

    @classmethod
    def of(cls, found: list[Reference]) -> Self:
        return cls(references=[ReferenceItem.model_validate(each) for each in found])
