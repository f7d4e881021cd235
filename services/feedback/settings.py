"""Settings of feedback."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from BIHUAN_FEEDBACK_* variables; a missing or malformed one stops the start."""

    service: ClassVar[str] = "feedback"
    port: int = Field(default=8104, ge=0, le=65535, description="Port to listen on")
    closing_pause: timedelta = Field(
        default=timedelta(seconds=1),
        description="Between two looks for propositions whose window has passed in silence",
    )
