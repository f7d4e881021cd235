from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from services.profile.parameters import Code, Day, Id, LabelRead, Moment, Strict
from services.profile.relations.domain.relations import Graph, Reading, Relation
from services.profile.vocabulary import Role
from shared.paging import Page


class RelationPut(Strict):
    """What the other party (`to_id`) is to the customer."""

    kind: Annotated[str, Field(description="Key of a kind of relation", examples=["household"])]
    to_id: Annotated[Id, Field(description="The other party, a customer or a prospect")]
    role: Code | None = Field(
        default=None,
        description="What it is more closely, where the kind has roles: `child`, `finance_head`",
    )
    since: Day | None = Field(default=None, description="Null: nobody knows")
    until: Day | None = Field(default=None, description="From this day on it holds no more")
    share: float | None = Field(
        default=None, allow_inf_nan=False, description="In %, 0-100, of a shareholder"
    )
    source: Code = Field(description="Where it is known from, a code", examples=["rm", "registry"])
    confidence: float = Field(default=1, ge=0, le=1, description="1: certain")

    def to_domain(self, from_id: str, relation_id: str, now: Moment) -> Relation:
        return Relation(
            from_id=from_id, relation_id=relation_id, recorded_at=now, **self.model_dump()
        )


class RoleRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    key: str
    label: LabelRead


class RelationStated(BaseModel):
    """A relation as it was stated: `to_id` is to `from_id` what the kind says."""

    model_config = ConfigDict(from_attributes=True)

    relation_id: str
    kind: str
    from_id: str
    to_id: str
    role: str | None = Field(description="What `to_id` is to `from_id` more closely")
    since: date | None
    until: date | None = Field(description="From this day on it holds no more")
    share: float | None = Field(description="In %")
    source: str
    confidence: float
    recorded_at: Moment


class RelationRead(RelationStated):
    """A relation as the customer reads it."""

    other_id: str = Field(description="The other party")
    other_is: LabelRead = Field(description="What the other party is to the customer")
    other_role: RoleRead | None = Field(description="What it is more closely")
    is_link: bool = Field(description="Joins the corporate and the retail side (公私联动)")

    @classmethod
    def of(cls, reading: Reading) -> Self:
        """Show a relation from one side."""
        stated = RelationStated.model_validate(reading.relation)
        return cls(
            **stated.model_dump(),
            other_id=reading.other_id,
            other_is=LabelRead.model_validate(reading.label),
            other_role=_role(reading.role),
            is_link=reading.links,
        )


class RelationPage(Page[RelationRead]):
    """One page of a customer's relations."""

    hidden: int = Field(
        description="Relations left out, on all pages: they lead to parties not yours to see"
    )


class NodeRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    party_type: str
    depth: int = Field(description="Relations between it and the customer, by the shortest way")


class GraphRead(BaseModel):
    """Parties around a customer, nearest first, and what they are to each other now."""

    model_config = ConfigDict(from_attributes=True)

    nodes: list[NodeRead] = Field(description="The customer first")
    relations: list[RelationStated] = Field(description="All that join two of the nodes")
    hidden: int = Field(
        description="Parties next to these that are left out: they are not yours to see, nor is "
        "anybody who is reached through them alone"
    )
    is_cut: bool = Field(description="There are more parties or relations than the limit lets in")


class HouseholdRead(BaseModel):
    """All whom relations of the household join to the customer now."""

    members: list[NodeRead] = Field(description="The customer first, then the nearest")
    relations: list[RelationStated] = Field(description="What the members are to each other")
    hidden: int = Field(description="Members next to these who are not yours to see")
    is_cut: bool = Field(description="The household is larger than the catalogue lets it be")

    @classmethod
    def of(cls, found: Graph) -> Self:
        """Show a household."""
        return cls.model_validate(
            {
                **GraphRead.model_validate(found).model_dump(exclude={"nodes"}),
                "members": [NodeRead.model_validate(node) for node in found.nodes],
            }
        )


def _role(role: Role | None) -> RoleRead | None:
    return None if role is None else RoleRead.model_validate(role)
