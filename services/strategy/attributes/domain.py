"""The words that rules of strategy may use: the attribute catalogue, as segment merges it."""

from services.strategy.entries.domain import Fields
from shared.rules import Attribute, AttributeType


def attribute_of(key: str, fields: Fields) -> Attribute:
    """Read an attribute from its catalogue entry."""
    return Attribute(key, AttributeType(fields.text("type")), fields.texts("values"))
