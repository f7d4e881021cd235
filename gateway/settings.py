"""What the gateway is told at its start."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import Field, SecretStr

from shared.paths import CATALOGUE, OPENAPI
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from BIHUAN_GATEWAY_* variables; a missing or malformed one stops the start."""

    service: ClassVar[str] = "gateway"

    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on")
    profile_url: str = Field(default="http://127.0.0.1:8101", description="Profile's server")
    segment_url: str = Field(default="http://127.0.0.1:8102", description="Segment's server")
    strategy_url: str = Field(default="http://127.0.0.1:8103", description="Strategy's server")
    feedback_url: str = Field(default="http://127.0.0.1:8104", description="Feedback's server")

    key_encryption_key: SecretStr = Field(
        default=SecretStr(""),
        description="32 bytes in base64 that seal the signing keys; required in production",
    )
    secrets_dir: Path | None = Field(
        default=None, description="Folder with one file per shipped client: its secret"
    )
    catalogue_dir: Path = Field(default=CATALOGUE, description="clients, roles and codes as YAML")
    openapi_dir: Path = Field(default=OPENAPI, description="The services' committed API documents")

    token_lifetime: timedelta = Field(
        default=timedelta(minutes=5), description="How long an access token is valid"
    )
    secret_overlap: timedelta = Field(
        default=timedelta(hours=24), description="How long a rotated secret stays valid"
    )
    verified_secret_lifetime: timedelta = Field(
        default=timedelta(minutes=10), description="How long a checked secret need not be rehashed"
    )
    secret_checks: str = Field(
        default="30/minute", description="Most unknown secrets a client id may try"
    )
    key_notice: timedelta = Field(
        default=timedelta(seconds=15),
        description="How long a signing key is published before it may sign",
    )

    max_import_bytes: int = Field(default=256 * 2**20, description="Largest body of an import")
    answer_seconds: float = Field(default=2.0, description="Longest silence of an ordinary answer")
    fallback_seconds: float = Field(
        default=0.19, description="For an answer that another one can stand in for, in all"
    )
    feed_grace_seconds: float = Field(default=5.0, description="Added to a feed's own `wait`")
    stream_seconds: float = Field(default=10.0, description="Longest silence between two chunks")
    view_seconds: float = Field(default=1.5, description="Deadline of each part of the 360° view")
    context_seconds: float = Field(default=0.3, description="Deadline of a context card, in all")
    clock_settle_seconds: float = Field(
        default=1.0, description="After moving the clock, wait until every process has seen it"
    )

    @property
    def key_grace(self) -> timedelta:
        """How long a retired signing key stays published: a token's life, and clocks may differ."""
        return self.token_lifetime + timedelta(seconds=30)

    @property
    def service_urls(self) -> dict[str, str]:
        """Where each service listens."""
        return {
            "profile": self.profile_url,
            "segment": self.segment_url,
            "strategy": self.strategy_url,
            "feedback": self.feedback_url,
        }
