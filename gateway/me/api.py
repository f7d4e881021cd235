"""Who am I: what a token says, and what its client may do."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from gateway.directory import CurrentDirectory
from shared.auth import CurrentToken

router = APIRouter(prefix="/v1/me", tags=["me"])


class Me(BaseModel):
    """The caller as the gateway sees it."""

    client_id: str = Field(description="The client of the token")
    label_zh: str = Field(description="Chinese label of the client")
    label_en: str = Field(description="English label of the client")
    scopes: list[str] = Field(description="What this request may do")
    expires_at: int = Field(description="When the token expires, seconds since 1970")
    customer: str | None = Field(description="The one customer the token is bound to")
    actor: str | None = Field(description="The person behind the request")
    roles: list[str] = Field(description="That person's roles")
    org: str | None = Field(description="Sees only this org unit's customers")
    rm: str | None = Field(description="Sees only this RM's customers")
    rate_limit: str = Field(description="Most requests through one gateway")


@router.get("")
async def get_me(token: CurrentToken, directory: CurrentDirectory) -> Me:
    """Tell who the caller is and what this token may do."""
    client = directory.client(token.client_id)
    return Me(
        client_id=token.client_id,
        label_zh=client.label_zh,
        label_en=client.label_en,
        scopes=sorted(token.scopes),
        expires_at=token.expires_at,
        customer=token.customer,
        actor=token.actor,
        roles=list(token.roles),
        org=token.org,
        rm=token.rm,
        rate_limit=client.rate_limit,
    )
