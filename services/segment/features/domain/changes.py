"""Features of a single customer, as the profile's event tells them."""

from collections.abc import Mapping
from datetime import datetime

from shared.rules import Catalogue, fit

Row = tuple[str, datetime, Mapping[str, bool | float | str]]


def row_of(data: Mapping[str, object], catalogue: Catalogue) -> Row:
    """The customer, the time and the declared features of an event's data."""
    features = data["features"]
    as_of = datetime.fromisoformat(str(data["as_of"]))
    known = fit(features, catalogue) if isinstance(features, dict) else {}
    return str(data["customer_id"]), as_of, known
