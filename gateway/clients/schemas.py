"""Clients over HTTP."""

from datetime import datetime
from typing import Annotated, Any

from limits import parse
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from gateway.clients.domain import Client

ClientId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Scope = Annotated[str, StringConstraints(pattern=r"^[a-z_-]+(:[a-z_-]+)?$", max_length=64)]


def _is_rate(text: str) -> str:
    parse(text)  # raises ValueError, which pydantic reports
    return text


def _is_public_key(key: dict[str, Any] | None) -> dict[str, Any] | None:
    if key is not None and (key.get("kty") != "EC" or key.get("crv") != "P-256" or "d" in key):
        raise ValueError("must be the public half of an EC key on the curve P-256")
    return key


class ClientCreate(BaseModel):
    """A program that shall call the suite."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "client_id": "mobile-bank",
                    "label_zh": "手机银行",
                    "label_en": "Mobile bank",
                    "scopes": ["recommendations:read", "outcomes:write"],
                    "bind_customer": True,
                    "rate_limit": "500/second",
                }
            ]
        },
    )

    client_id: ClientId = Field(description="Chosen by the bank")
    label_zh: str = Field(min_length=1, max_length=100, description="Chinese label")
    label_en: str = Field(min_length=1, max_length=100, description="English label")
    scopes: list[Scope] = Field(max_length=100, description="The most its tokens may carry")
    bind_customer: bool = Field(
        default=False, description="May ask for tokens bound to one customer"
    )
    act_for_staff: bool = Field(
        default=False, description="May name the person behind a request in Bihuan-Actor"
    )
    rate_limit: Annotated[str, AfterValidator(_is_rate)] = Field(
        default="100/second", description="Most requests, such as 100/second or 5000/minute"
    )
    public_key: Annotated[dict[str, Any] | None, AfterValidator(_is_public_key)] = Field(
        default=None, description="Public EC P-256 JWK, if the client signs private_key_jwt"
    )

    def to_domain(self) -> Client:
        return Client(
            client_id=self.client_id,
            label_zh=self.label_zh,
            label_en=self.label_en,
            scopes=frozenset(self.scopes),
            bind_customer=self.bind_customer,
            act_for_staff=self.act_for_staff,
            rate_limit=self.rate_limit,
            public_key=self.public_key,
        )


class ClientRead(BaseModel):
    """A client without its secrets."""

    client_id: str = Field(description="Names the client")
    label_zh: str = Field(description="Chinese label")
    label_en: str = Field(description="English label")
    scopes: list[str] = Field(description="The most its tokens may carry")
    bind_customer: bool = Field(description="May ask for tokens bound to one customer")
    act_for_staff: bool = Field(description="May name the person behind a request")
    rate_limit: str = Field(description="Most requests it may send through one gateway")
    is_shipped: bool = Field(description="Comes from the catalogue and follows it")
    disabled_at: datetime | None = Field(description="Set: its secrets and tokens are refused")


class ClientSecretRead(BaseModel):
    """A new secret, shown once."""

    client_id: str = Field(description="Names the client")
    client_secret: str = Field(description="Keep it now: it cannot be read again")


class ClientCreated(ClientRead):
    client_secret: str = Field(description="Keep it now: it cannot be read again")


def to_read(client: Client) -> ClientRead:
    """The client as it travels, its scopes in order."""
    return ClientRead(
        client_id=client.client_id,
        label_zh=client.label_zh,
        label_en=client.label_en,
        scopes=sorted(client.scopes),
        bind_customer=client.bind_customer,
        act_for_staff=client.act_for_staff,
        rate_limit=client.rate_limit,
        is_shipped=client.is_shipped,
        disabled_at=client.disabled_at,
    )
