"""Settings are read once, in `main`, and handed down as values."""

import os
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class Environment(StrEnum):
    PRODUCTION = "production"
    DEMONSTRATION = "demonstration"
    TEST = "test"


class _Variables(PydanticBaseSettingsSource):
    """`BIHUAN_{SERVICE}_X` before `BIHUAN_X`, each also as a file: `…_X_FILE`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        owner: type[EnvSettings] = self.settings_cls  # pyright: ignore[reportAssignmentType]
        for prefix in (f"BIHUAN_{owner.service.upper()}_", "BIHUAN_"):
            name = prefix + field_name.upper()
            if name in os.environ:
                return os.environ[name], name, False
            if f"{name}_FILE" in os.environ:
                return Path(os.environ[f"{name}_FILE"]).read_text().strip(), name, False
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class EnvSettings(BaseSettings):
    """Read from the environment; a missing or malformed value stops the start."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid")
    service: ClassVar[str] = ""

    @classmethod
    def read(cls) -> Self:
        """Read the environment; this is how `main` and `worker` get their settings."""
        return cls.model_validate({})

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read our own variables only."""
        return init_settings, _Variables(settings_cls)


class ServiceSettings(EnvSettings):
    """What every service and the gateway are told."""

    database_url: SecretStr = Field(
        description="postgresql://user:password@host:port/name of this service's own database"
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(
        default=0, ge=0, le=65535, description="Port to listen on; 0 takes a free one"
    )
    gateway_url: str = Field(
        default="http://127.0.0.1:8000", description="The one address of the suite"
    )
    client_id: str = Field(default="", description="This service's own OAuth client")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Secret of that client")
    token_issuer: str = Field(default="http://127.0.0.1:8000", description="`iss` of access tokens")
    token_audience: str = Field(default="bihuan", description="`aud` of access tokens")
    token_jwks: str = Field(
        default="", description="Fixed JWKS document; empty: fetched from the gateway"
    )
    environment: Environment = Field(
        default=Environment.PRODUCTION,
        description="The business clock moves only outside production",
    )
    bank_zone: str = Field(default="Asia/Shanghai", description="Zone of the bank's days")
    bank_currency: str = Field(default="CNY", pattern="^[A-Z]{3}$", description="Of all features")
    business_now: datetime | None = Field(
        default=None, description="Business time at start; demonstration and test only"
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR")
    alive_file: Path | None = Field(
        default=None, description="Touched by a worker every few seconds, for health checks"
    )
    max_body_bytes: int = Field(default=5 * 2**20, description="Largest JSON body")
    erasure_settle: timedelta = Field(
        default=timedelta(seconds=60),
        description="Erased customers are looked for again after this: what was under way has "
        "ended then",
    )

    @field_validator("business_now")
    @classmethod
    def _has_zone(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("BIHUAN_BUSINESS_NOW needs a zone, such as 2026-03-02T10:00:00+08:00")
        return value

    @field_validator("bank_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{value!r} is no time zone, such as Asia/Shanghai") from error
        return value

    def model_post_init(self, _: object, /) -> None:
        """Refuse a moved clock in production."""
        if self.environment is Environment.PRODUCTION and self.business_now is not None:
            raise ValueError("BIHUAN_BUSINESS_NOW is refused when environment=production")

    @property
    def own_client_id(self) -> str:
        """The OAuth client of this service."""
        return self.client_id or f"{self.service}-service"

    @classmethod
    def for_documents(cls) -> Self:
        """Settings that suffice to build the application and read its API document."""
        return cls.model_validate({"database_url": "postgresql://unused@localhost/unused"})
