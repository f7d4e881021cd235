from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from services.profile.ownership_rules.domain import Edition, rule_of
from services.profile.parameters import NO_NUL, Code, LabelRead, Moment, Strict
from services.profile.vocabulary import OwnershipRule

Sentence = Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=200)]
Serves = Annotated[
    Code, Field(description="Which managers take them, one of `manager_kind` in `/v1/codes`")
]
Org = Annotated[
    Literal["same", "nearest"],
    Field(
        description="`same`: managers of the customer's own org unit; `nearest`: of the nearest "
        "above it, itself included, that has one with room"
    ),
]
SeparateConsent = Annotated[
    bool, Field(description="The customer's separate consent stands behind sensitive attributes")
]


class RuleLabelWrite(Strict):
    zh: Sentence = Field(description="In Chinese")
    en: Sentence = Field(description="In English")


class OwnershipRuleWrite(Strict):
    key: Code
    label: RuleLabelWrite = Field(description="Whom it is about")
    rule: Annotated[str, Field(pattern=NO_NUL, min_length=1, max_length=4_000)] = Field(
        description="When it holds, in the rule language, over the attributes of `/v1/attributes`"
    )
    serves: Serves
    org: Org
    separate_consent: SeparateConsent = False


class OwnershipRulesWrite(Strict):
    """The rules in their order: the first that holds for a customer counts."""

    rules: Annotated[list[OwnershipRuleWrite], Field(max_length=100)] = Field(
        description="First match wins; whom none holds for stays without a manager"
    )

    def to_domain(self) -> tuple[OwnershipRule, ...]:
        return tuple(rule_of(each.model_dump()) for each in self.rules)


class OwnershipRuleRead(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    key: str
    label: LabelRead = Field(description="Whom it is about")
    rule: str = Field(description="When it holds, in the rule language")
    serves: Serves
    org: Org
    separate_consent: SeparateConsent


class OwnershipRulesRead(BaseModel):
    rules: list[OwnershipRuleRead] = Field(description="In their order: first match wins")
    version: int = Field(description="The ETag; 1: as shipped")
    author: str | None = Field(description="Who wrote this version; null: shipped")
    updated_at: Moment | None = Field(description="Business time; null: shipped")

    @classmethod
    def of(cls, found: Edition) -> Self:
        """Show the rules."""
        return cls(
            rules=[OwnershipRuleRead.model_validate(each) for each in found.rules],
            version=found.version,
            author=found.author,
            updated_at=found.updated_at,
        )
