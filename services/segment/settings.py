"""Settings of segment."""

from typing import ClassVar

from pydantic import Field

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from BIHUAN_SEGMENT_* variables; a missing or malformed one stops the start."""

    service: ClassVar[str] = "segment"
    port: int = Field(default=8102, ge=0, le=65535, description="Port to listen on")
    chunk_customers: int = Field(
        default=5_000, ge=1, description="Customers of a scoring run handled in one transaction"
    )
    scorer_niceness: int = Field(
        default=10, ge=0, le=19, description="How far the process of runs gives way to all others"
    )
    scorer_linger_seconds: float = Field(
        default=30.0, ge=0, description="How long that process waits for another run, then ends"
    )
    export_batch_rows: int = Field(default=10_000, ge=1, description="Rows of one Arrow batch")
