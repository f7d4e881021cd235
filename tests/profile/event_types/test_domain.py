from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from services.profile.event_types.domain import faults_of, schema_of
from services.profile.vocabulary import DataField, EventType, Label, event_types

TYPES = ("text", "code", "integer", "number", "boolean")
NAMES = ("a", "b", "c")
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-20, 20),
    st.floats(-20, 20, allow_nan=False),
    st.sampled_from(["", "x", "ab", "A b", "long enough to be too long"]),
    st.lists(st.integers(), max_size=1),
)


def kind(*fields: DataField) -> EventType:
    return EventType(name="t", zh="t", en="t", meaning=Label("t", "t"), data=fields)


@st.composite
def data_fields(draw: st.DrawFn) -> tuple[DataField, ...]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return tuple(_field(draw, name) for name in names)


def _field(draw: st.DrawFn, name: str) -> DataField:
    of = draw(st.sampled_from(TYPES))
    bounds: dict[str, Any] = {}
    if of in {"integer", "number"}:
        low = draw(st.none() | st.integers(-10, 10))
        bounds = {"minimum": low, "maximum": draw(st.none() | st.integers(low or 0, 15))}
    elif of != "boolean":
        values = draw(st.sampled_from([(), ("ab", "x")]))
        bounds = {"longest": draw(st.none() | st.just(5)), "values": values}
    required = draw(st.booleans())
    return DataField(name=name, type=of, zh="x", en="x", required=required, **bounds)


@given(data_fields(), st.dictionaries(st.sampled_from((*NAMES, "other")), VALUES))
@settings(max_examples=150, deadline=None)
def test_the_compiled_check_agrees_with_the_json_schema_that_is_shown(
    fields: tuple[DataField, ...], data: dict[str, Any]
) -> None:
    declared = kind(*fields)

    found = faults_of(declared, data)

    assert Draft202012Validator(schema_of(declared)).is_valid(data) == (not found)
    assert {fault.field for fault in found} <= {field.name for field in fields}


@pytest.mark.parametrize(
    ("of", "good", "bad"),
    [
        ("day", "2026-02-28", "2026-02-30"),
        ("day", "2026-02-28", "20260228"),
        ("moment", "2026-02-28T10:00:00+08:00", "2026-02-28T10:00:00"),
        ("moment", "2026-02-28T10:00:00Z", "at ten"),
        ("integer", 7.0, float("inf")),
        ("number", 0.5, float("nan")),
        ("number", 1, True),
    ],
)
def test_a_value_fits_its_type_or_does_not(of: Any, good: object, bad: object) -> None:
    declared = kind(DataField(name="a", type=of, zh="x", en="x"))

    assert faults_of(declared, {"a": good}) == ()
    assert [fault.field for fault in faults_of(declared, {"a": bad})] == ["a"]


def test_without_data_only_what_is_required_is_missed() -> None:
    asked = DataField(name="a", type="text", zh="x", en="x", required=True)
    free = DataField(name="b", type="text", zh="x", en="x")

    assert [fault.field for fault in faults_of(kind(asked, free), None)] == ["a"]
    assert faults_of(kind(free), None) == ()


@pytest.mark.parametrize("name", event_types())
def test_a_shipped_type_asks_for_nothing_and_shows_a_valid_schema(name: str) -> None:
    schema = schema_of(event_types()[name])

    Draft202012Validator.check_schema(schema)
    assert schema["required"] == [], "events that were taken before would be refused"
    assert all(part["title"] and part["x-zh"] for part in schema["properties"].values())
