"""Media types of bodies, and how the API document describes those that are no JSON."""

from typing import Any

JSON = "application/json"
NDJSON = "application/x-ndjson"
ARROW_STREAM = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
CSV = "text/csv"
PLAIN = "text/plain"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BYTES = "application/octet-stream"


def media_type(header: str) -> str:
    """Return the media type of a Content-Type header, without its parameters."""
    return header.partition(";")[0].strip().lower()


def binary(description: str) -> dict[str, Any]:
    """Describe a body of bytes."""
    return {"schema": {"type": "string", "format": "binary", "description": description}}
