from datetime import date
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Self
from zoneinfo import available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    create_model,
    model_validator,
)

from services.profile.customers.domain import (
    AcquisitionSource,
    Customer,
    EnterpriseSize,
    Gender,
    Occupation,
    PartyType,
    ResidenceArea,
    TaxRating,
)
from services.profile.features.domain import Contribution, Side
from services.profile.identifiers.domain import KINDS
from services.profile.money import money, received, written
from services.profile.parameters import (
    NO_NUL,
    Id,
    LabelRead,
    Moment,
    PlainAmount,
    Strict,
    WrittenAmount,
)

MONEY = ("income_year", "acquisition_cost", "declared_turnover")

_zones = cache(available_timezones)


def _is_zone(value: str | None) -> str | None:
    if value is not None and value not in _zones():
        raise ValueError("must be a zone such as Asia/Shanghai")
    return value


def _is_birth_date(value: date | None) -> date | None:
    if value is not None and not date(1850, 1, 1) <= value <= date(2200, 1, 1):
        raise ValueError("must lie between 1850 and 2200")
    return value


Identifier = Annotated[
    str | None, Field(default=None, pattern=NO_NUL, min_length=1, max_length=128)
]
SocialCreditCode = Annotated[
    Identifier, Field(description="统一社会信用代码 of a company or small business")
]
Count = Annotated[int | None, Field(default=None, ge=0, le=200)]
Label = Annotated[str | None, Field(default=None, pattern=NO_NUL, min_length=1, max_length=64)]


class CustomerFields(Strict):
    """What a bank states of a customer; what is left out of a PUT is unknown."""

    name: Identifier = None
    national_id: Identifier = None
    social_credit_code: SocialCreditCode = None
    phone: Identifier = None
    email: Identifier = None
    wechat_openid: Identifier = None
    birth_date: Annotated[date | None, AfterValidator(_is_birth_date)] = None
    gender: Gender | None = None
    occupation: Occupation | None = None
    income_year: PlainAmount | None = None
    city: Annotated[Label, Field(description="Of the address; never the street")] = None
    residence_area: ResidenceArea | None = None
    local_hukou: bool | None = None
    local_hukou_years: Count = None
    resident_here: bool | None = None
    minor_children: Count = None
    has_car: bool | None = None
    is_business_owner: bool | None = None
    acquisition_source: AcquisitionSource | None = None
    acquisition_cost: PlainAmount | None = None
    wechat_friend: bool | None = None
    qualified_investor: bool | None = None
    industry: Label = None
    enterprise_size: EnterpriseSize | None = None
    credit_rating: Label = None
    tax_rating: TaxRating | None = None
    declared_turnover: PlainAmount | None = None
    has_direct_link: Annotated[
        bool | None,
        Field(description="银企直联: the company's systems are connected to the bank's"),
    ] = None
    time_zone: Annotated[str | None, AfterValidator(_is_zone)] = None
    org_path: Annotated[
        str | None, Field(pattern=r"^[A-Za-z0-9_./-]{0,255}$", description="Such as bank/east/b12")
    ] = None
    rm_id: Id | None = None

    def facts(self, currency: str, *, only_sent: bool) -> dict[str, Any]:
        """Return the facts without the identifiers."""
        sent = self.model_dump(exclude=set(KINDS) | set(MONEY), exclude_unset=only_sent)
        fields = self.model_fields_set if only_sent else set(MONEY)
        for name in MONEY:
            if name in fields:
                sent[name] = received(getattr(self, name), currency, f"/{name}")
        if "org_path" in sent:
            sent["org_path"] = sent["org_path"] or ""
        return sent

    def identifiers(self, *, only_sent: bool) -> dict[str, str | None]:
        """Return the personal identifiers; None removes one."""
        return self.model_dump(include=set(KINDS), exclude_unset=only_sent)


class CustomerPut(CustomerFields):
    party_type: PartyType


class CustomerPatch(CustomerFields):
    """What is sent is changed, null makes it unknown; what is not sent stays."""

    party_type: PartyType = PartyType.PERSON

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field")
        return self


class Identifiers(BaseModel):
    """Personal identifiers in plain text."""

    customer_id: str
    name: str | None = None
    national_id: str | None = None
    social_credit_code: str | None = None
    phone: str | None = None
    email: str | None = None
    wechat_openid: str | None = None


class _Read(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    party_type: PartyType
    created_at: Moment
    updated_at: Moment


CustomerRead = create_model(
    "CustomerRead",
    __base__=_Read,
    __doc__="A customer; personal identifiers are masked.",
    **{
        name: (WrittenAmount | None if name in MONEY else field.annotation, None)
        for name, field in CustomerFields.model_fields.items()
    },  # pyright: ignore[reportArgumentType, reportCallIssue]
)


def shown(customer: Customer, currency: str) -> dict[str, object]:
    """Return what `CustomerRead` shows of a customer."""
    amounts = {name: written(customer.facts[name], currency) for name in MONEY}
    return {
        "customer_id": customer.customer_id,
        **customer.facts,
        **amounts,
        **{kind: customer.identifiers.get(kind) for kind in KINDS},
        "created_at": customer.created_at,
        "updated_at": customer.updated_at,
    }


class PartRead(BaseModel):
    """One line: so much of something, at a rate, is an amount."""

    model_config = ConfigDict(from_attributes=True)

    side: Side = Field(description="What the amount adds to: revenue, cost or risk cost")
    key: str = Field(description="A product category, a driver of contribution.yaml, or a channel")
    label: LabelRead
    quantity: Annotated[Decimal, PlainSerializer(str)] = Field(
        description="In `unit`; of a category the average balance over 365 days"
    )
    unit: str = Field(description="bank_currency, or what is counted, such as visit or minute")
    rate: Annotated[Decimal, PlainSerializer(str)] = Field(
        description="Money for one unit; where the unit is bank_currency and it is no benefit, "
        "in %: of a balance a year, else of the amount"
    )
    amount: WrittenAmount


class ContributionRead(BaseModel):
    """Why a customer contributes what it does in 365 days; the parts add up to the features."""

    customer_id: str
    as_of: Moment
    revenue: WrittenAmount = Field(description="revenue_12m")
    cost_to_serve: WrittenAmount = Field(description="cost_to_serve_12m")
    risk_cost: WrittenAmount = Field(description="risk_cost_12m")
    net: WrittenAmount = Field(description="net_contribution_12m: revenue less both costs")
    parts: list[PartRead] = Field(
        description="What there was any of; the largest amount of each side first. Empty for a "
        "prospect"
    )

    @classmethod
    def of(cls, found: Contribution, currency: str) -> Self:
        return cls(
            customer_id=found.customer_id,
            as_of=found.as_of,
            parts=[
                PartRead(
                    side=part.side,
                    key=part.key,
                    label=LabelRead(zh=part.label.zh, en=part.label.en),
                    quantity=part.quantity,
                    unit=part.unit,
                    rate=part.rate,
                    amount=money(part.amount, currency),
                )
                for part in found.parts
            ],
            **{
                name: money(getattr(found, name), currency)
                for name in ("revenue", "cost_to_serve", "risk_cost", "net")
            },
        )


class FeaturesRead(BaseModel):
    """All features of a customer, in the catalogue's units; null where unknown."""

    model_config = ConfigDict(from_attributes=True)

    customer_id: str
    as_of: Moment
    features: dict[str, str | int | float | bool | None]
