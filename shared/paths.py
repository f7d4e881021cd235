"""Where the project's own files lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CATALOGUE = ROOT / "catalogue"
EVENT_SCHEMAS = ROOT / "docs" / "events"
OPENAPI = ROOT / "docs" / "openapi"
