from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from services.profile.customers.schemas import CustomerRead, Identifier, SocialCreditCode
from services.profile.identifiers.domain import KINDS, Kind
from services.profile.parameters import Code, Id, Strict
from services.profile.search.domain import Sought
from shared.parameters import MAX_LIMIT

USUAL_LIMIT = 50


class CustomerSearch(Strict):
    """A customer for whom all of these hold."""

    name: Annotated[
        Identifier,
        Field(
            description="As it is written, or its pinyin in full or by initials",
            examples=["张伟", "zhangwei", "zw"],
        ),
    ]
    national_id: Identifier = None
    social_credit_code: SocialCreditCode = None
    phone: Identifier = None
    email: Identifier = None
    wechat_openid: Identifier = None
    phone_end: str | None = Field(
        default=None, pattern=r"^[0-9]{4}$", description="The last four digits of the phone"
    )
    rm_id: Id | None = Field(default=None, description="Who looks after the customer")
    org_path: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_.-]{1,64}(/[A-Za-z0-9_.-]{1,64}){0,9}$",
        description="An org unit: its own customers and those of all units below",
        examples=["bank/east"],
    )
    segment: Id | None = Field(
        default=None,
        description="Key of a segment; needs the scope `segments:read`. A page may then hold fewer "
        "than `limit`, and `next` says whether there are more",
    )
    tag: Code | None = Field(
        default=None, description="Key of `/v1/tags`: who bears it now; for staff alone"
    )
    limit: int = Field(default=USUAL_LIMIT, ge=1, le=MAX_LIMIT)
    after: str | None = Field(default=None, description="`next` of the page before")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if not self.model_dump(exclude={"limit", "after"}, exclude_none=True):
            raise ValueError("name at least one identifier or place")
        return self

    def to_domain(self) -> Sought:
        """Return what is sought."""
        identifiers = self.model_dump(include={*KINDS} - {Kind.NAME}, exclude_none=True)
        return Sought(
            identifiers=identifiers,
            name=self.name,
            phone_end=self.phone_end,
            rm_id=self.rm_id,
            org_path=self.org_path,
            segment=self.segment,
            tag=self.tag,
        )


class CustomerPage(BaseModel):
    items: list[CustomerRead]  # pyright: ignore[reportInvalidTypeForm]
    next: str | None = Field(description="Send as `after` to get the next page; null at the end")
