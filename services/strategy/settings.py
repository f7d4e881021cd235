"""Settings of strategy."""

from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from shared.paths import CATALOGUE
from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from BIHUAN_STRATEGY_* variables; a missing or malformed one stops the start."""

    service: ClassVar[str] = "strategy"
    port: int = Field(default=8103, ge=0, le=65535, description="Port to listen on")
    catalogue_folder: Path = Field(
        default=CATALOGUE, description="Shipped entries; taken over where the bank has none"
    )
    catalogue_poll: timedelta = Field(
        default=timedelta(milliseconds=200), description="How often a replica looks for changes"
    )
    decision_budget: timedelta = Field(
        default=timedelta(milliseconds=170),
        description="Then the fallback answers; the page's 200 ms include the way there and back",
    )
    breaches: int = Field(default=3, ge=1, description="In a row; they open the breaker")
    breaker_pause: timedelta = Field(
        default=timedelta(seconds=10), description="How long an open breaker lets defaults answer"
    )
    consent_lease: timedelta = Field(
        default=timedelta(seconds=30), description="Age at which local consents are not trusted"
    )
    source_limit: timedelta = Field(
        default=timedelta(seconds=30),
        description="Age at which what a service told makes an answer a degraded one",
    )
    consent_deadline: timedelta = Field(
        default=timedelta(milliseconds=100), description="For profile's answer before a contact"
    )
    longest_wait_for: timedelta = Field(
        default=timedelta(milliseconds=120), description="Of `Bihuan-Wait-For`"
    )
    request_memory: timedelta = Field(
        default=timedelta(minutes=10), description="How long a request id brings the same decision"
    )
    reservation_lifetime: timedelta = Field(
        default=timedelta(minutes=30), description="A quota reservation expires after this"
    )
