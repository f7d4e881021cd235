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
    clusterer_niceness: int = Field(
        default=15, ge=0, le=19, description="How far the process of clusterings gives way"
    )
    cluster_fit_customers: int = Field(
        default=100_000,
        ge=100,
        description="Most customers that clusters are found by; all are put into one",
    )
    cluster_judge_customers: int = Field(
        default=5_000, ge=100, description="Most customers by whom a silhouette is measured"
    )
    cluster_chunk_customers: int = Field(
        default=20_000, ge=1, description="Customers of a clustering read at a time"
    )
    export_batch_rows: int = Field(default=10_000, ge=1, description="Rows of one Arrow batch")
