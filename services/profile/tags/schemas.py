from typing import Self

from pydantic import BaseModel, Field

from services.profile.parameters import Code, Id, Moment, Strict
from services.profile.tag_kinds.schemas import Source
from services.profile.tags.domain import Wanted
from services.profile.watch.domain import Ending, Tag


class TagPut(Strict):
    """What a tag is to say of a customer, and what it rests on; no free text."""

    value: Code | None = Field(
        default=None, description="One of the tag's `values`; null where it has none"
    )
    until: Moment | None = Field(
        default=None,
        description="When it holds no more, within the tag's `valid_days`; null: as long as may "
        "be, and one that says the same already stays as it is",
    )
    reference: Id | None = Field(
        default=None,
        description="Id of what it rests on in another system (a record, an order, a run of a "
        "model); a model's tag needs it",
    )

    def to_domain(self) -> Wanted:
        return Wanted(value=self.value, until=self.until, reference=self.reference)


class TagRead(BaseModel):
    customer_id: str = Field(description="The record that it was set on")
    tag_id: str
    tag: str = Field(description="Key of `/v1/tags`, which says what it means")
    value: str | None = Field(description="Of the tag's `values`; null: it is borne or not")
    source: Source
    since: Moment = Field(description="Business time at which it was set")
    until: Moment | None = Field(description="Holds no more from then on; null: not known ahead")
    set_by: str | None = Field(description="Who set it; null: its rule")
    reference: str | None = Field(description="Id of what it rests on in another system")
    run_id: str | None = Field(
        description="The run over many customers in which its rule set it; null: a change of the "
        "customer alone, or no rule"
    )
    ended_at: Moment | None = Field(description="Null: nobody has ended it")
    ended_by: str | None = Field(description="Who ended it; null: its rule or its time, or nobody")
    ending: Ending | None = Field(description="Why it ended, one of `tag_ending` in `/v1/codes`")

    @classmethod
    def of(cls, tag: Tag) -> Self:
        """Show a tag."""
        told = {name: getattr(tag, name) for name in cls.model_fields if name != "tag"}
        return cls(tag=tag.kind, **told)
