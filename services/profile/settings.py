"""Settings of profile."""

from datetime import timedelta
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from shared.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from BIHUAN_PROFILE_* variables; a missing or malformed one stops the start."""

    service: ClassVar[str] = "profile"
    port: int = Field(default=8101, ge=0, le=65535, description="Port to listen on")
    identifier_keys: SecretStr = Field(
        default=SecretStr(""),
        description="Key ring for personal identifiers: `id:secret` pairs separated by commas. The "
        "last one encrypts, all decrypt; the worker seals anew what older ones sealed, after which "
        "they can go. The pair called `index` makes the search index and seals nothing; "
        "without it the first key does: give `index` that key's secret before the key goes. Each "
        "secret has at least 32 characters",
    )
    assessments_a_day: int = Field(default=2, ge=1, description="Most a customer may answer (B4)")
    assessments_a_year: int = Field(default=8, ge=1, description="Most in 12 months (B4)")
    unknown_event_types: Literal["refuse", "quarantine"] = Field(
        default="quarantine",
        description="What becomes of `POST /v1/events` with a type that is not in the catalogue: "
        "`quarantine` sets the event aside and takes the others; `refuse` refuses the batch",
    )
    max_import_bytes: int = Field(default=256 * 2**20, description="Largest body of an import")
    import_chunk_rows: int = Field(
        default=10_000, ge=1, description="Rows of an import handled in one transaction"
    )
    import_lanes: int = Field(
        default=2, ge=1, le=8, description="Chunks of one import of events handled side by side"
    )
    importer_niceness: int = Field(
        default=10, ge=0, le=19, description="How far the process of imports gives way to others"
    )
    importer_linger_seconds: float = Field(
        default=10.0, ge=0, description="How long that process waits for another import, then ends"
    )
    features_patience: timedelta = Field(
        default=timedelta(minutes=10),
        description="Features that an import put off follow by themselves if none came after it",
    )
    most_declared_features: int = Field(
        default=200, ge=0, description="Most features of its own that the bank may declare"
    )
    matcher_niceness: int = Field(
        default=15, ge=0, le=19, description="How far the search for duplicates gives way to others"
    )
    matcher_memory: str = Field(
        default="2GB",
        pattern=r"^[1-9][0-9]{0,5}(MB|GB)$",
        description="Most that the search for duplicates may hold while it compares; it never "
        "spills to disk, and ends as failed when it needs more",
    )
    past_lanes: int = Field(
        default=2, ge=1, le=8, description="Connections that features of the past are computed on"
    )
    feature_chunk_customers: int = Field(
        default=500, ge=1, description="Customers recomputed in one transaction of a run"
    )
