from pydantic import BaseModel, ConfigDict, Field


class GroundRead(BaseModel):
    """Why some attributes are held."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    zh: str
    en: str
    ground: str = Field(description="One of `retention_ground` in `/v1/codes`")
    purposes: list[str] = Field(
        description="What they may be read for, of `retention_purpose` in `/v1/codes`"
    )
    source: str = Field(description="One of `retention_source` in `/v1/codes`")
    store: str = Field(description="The table they are from")
    kept_days: int | None = Field(description="null: as long as the customer is one")
    restricted_days: int | None = Field(
        description="How long law has them kept, sealed, after an erasure; null: they go"
    )
    attributes: list[str]


class Grounds(BaseModel):
    items: list[GroundRead]
