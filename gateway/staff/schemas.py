"""Staff over HTTP."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.staff.domain import Sight, Staff

OrgPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")]
RmNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class StaffPut(BaseModel):
    """What is known of a person; names stay in the bank's own directory."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"roles": ["relationship_manager"], "org": "hq/east/branch-12", "rm": "rm-0815"}
            ]
        },
    )

    roles: list[str] = Field(min_length=1, max_length=20, description="Keys of `/v1/roles`")
    org: OrgPath | None = Field(default=None, max_length=200, description="Path of the org unit")
    rm: RmNumber | None = Field(default=None, description="RM number, as on the customers' records")
    is_active: bool = Field(default=True, description="False: no request on this person's behalf")

    def to_domain(self, staff_id: str) -> Staff:
        return Staff(
            staff_id=staff_id,
            roles=tuple(self.roles),
            org=self.org,
            rm=self.rm,
            is_active=self.is_active,
        )


class StaffRead(BaseModel):
    """A person's roles and place."""

    staff_id: str = Field(description="The bank's number for this person")
    roles: list[str] = Field(description="Keys of `/v1/roles`")
    org: str | None = Field(description="Path of the org unit")
    rm: str | None = Field(description="RM number")
    is_active: bool = Field(description="False: no request on this person's behalf")


class RoleRead(BaseModel):
    """A post in the bank."""

    key: str = Field(description="Stable name")
    label_zh: str = Field(description="Chinese label")
    label_en: str = Field(description="English label")
    sees: Sight = Field(description="Whose customers: the bank's, the org unit's, one's own")
    scopes: list[str] = Field(description="What a request on this role's behalf may do at most")


class RolesRead(BaseModel):
    items: list[RoleRead] = Field(description="All roles of the catalogue")
