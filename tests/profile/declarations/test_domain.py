"""What may be declared, and how it is stored: names are checked, values stay values."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.profile.declarations.domain import (
    Condition,
    Declaration,
    KindFixed,
    Operator,
    UnfitDeclaration,
    check,
    counting_of,
    must_keep_kind,
    unit_of,
    window_of,
)
from services.profile.features.domain import Aggregate, Kind
from services.profile.vocabulary import DataField, EventType, Label

KIND = EventType(
    name="ride",
    zh="行程",
    en="Ride",
    meaning=Label("客户出行", "The customer rode"),
    data=(
        DataField(name="line", type="code", zh="线路", en="Line", values=("m1", "m2")),
        DataField(name="minutes", type="integer", zh="时长", en="Length", unit="min"),
        DataField(name="amount", type="number", zh="里程", en="Distance", unit="km"),
        DataField(name="is_return", type="boolean", zh="返程", en="Way back"),
        DataField(name="booked_on", type="day", zh="预订日", en="Day of booking"),
        DataField(name="began_at", type="moment", zh="开始时间", en="Start"),
    ),
)
NAMES = re.compile(r'\$\."[a-z]+"(\."[a-z_]+")?')
TEST = re.compile(r"(N (==|!=|<|<=|>|>=) \$v\d(\[\*\])?|!?exists\(N\))")


def condition(field: str, operator: str, value: Any = True) -> Condition:
    return Condition(field=field, operator=Operator(operator), value=value)


def declaration(*conditions: Condition, **changes: Any) -> Declaration:
    usual: dict[str, Any] = {
        "name": "rides_30d", "zh": "出行", "en": "Rides", "definition": "Rides", "unit": "times",
        "source": "ride", "aggregate": Aggregate.COUNT, "of": None, "window_days": 30,
        "ground": "flows", "sensitive": False,
    }  # fmt: skip
    return Declaration(filter=conditions, **{**usual, **changes})


def faults(wanted: Declaration) -> list[str]:
    try:
        check(wanted, KIND, ["flows"], is_speakable=True)
    except UnfitDeclaration as refused:
        return [error.pointer for error in refused.errors]
    return []


def test_each_field_is_compared_as_its_type_allows() -> None:
    assert faults(
        declaration(
            condition("data.line", "in", ("m1", "m2")),
            condition("data.minutes", ">=", 5.0),
            condition("data.amount", "<", 0.125),
            condition("data.is_return", "=", False),
            condition("data.booked_on", ">", "2026-01-31"),
            condition("data.began_at", "present", False),
            condition("amount", "!=", 0.29),
        )
    ) == []  # fmt: skip


@pytest.mark.parametrize(
    ("field", "operator", "value", "part"),
    [
        ("data.line", "=", "m3", "value"),
        ("data.line", "<", "m1", "operator"),
        ("data.minutes", "=", 0.5, "value"),
        ("data.minutes", "=", True, "value"),
        ("data.is_return", "=", "true", "value"),
        ("data.is_return", "in", (True,), "operator"),
        ("data.booked_on", "=", "2026-02-30", "value"),
        ("data.began_at", ">", "2026-01-01T00:00:00Z", "operator"),
        ("data.colour", "=", "red", "field"),
        ("amount", "=", 0.001, "value"),
        ("amount", "in", 1.0, "value"),
        ("amount", "=", (1.0,), "value"),
        ("direction", "=", "up", "value"),
        ("channel", "present", "yes", "value"),
    ],
)
def test_what_does_not_fit_a_field_is_pointed_to(
    field: str, operator: str, value: object, part: str
) -> None:
    assert faults(declaration(condition(field, operator, value))) == [f"/filter/0/{part}"]


@given(st.lists(st.tuples(st.sampled_from(Operator), st.text() | st.floats() | st.booleans())))
def test_whatever_values_say_a_condition_holds_names_operators_and_variables(
    parts: list[tuple[Operator, Any]],
) -> None:
    wanted = [
        Condition(field="data.line", operator=each, value=(value,) if each == "in" else value)
        for each, value in parts[:10]
    ]

    found = counting_of(declaration(*wanted)).condition or ""

    tests = NAMES.sub("N", found).split(" && ") if found else []
    assert all(TEST.fullmatch(each) for each in tests), found


def test_amounts_are_stored_in_fen_and_numbers_of_the_data_as_they_are() -> None:
    both = declaration(condition("amount", ">=", 0.29), condition("data.amount", "in", (0.29, 1.0)))

    assert counting_of(both).terms == {"v0": 29, "v1": [0.29, 1.0]}
    assert counting_of(declaration(aggregate=Aggregate.SUM, of="data.amount")).measure == [
        "data", "amount",
    ]  # fmt: skip


def test_a_feature_keeps_the_type_of_its_values() -> None:
    total = declaration(aggregate=Aggregate.SUM, of="amount")

    must_keep_kind(declaration(), declaration(aggregate=Aggregate.DAYS))
    with pytest.raises(KindFixed):
        must_keep_kind(declaration(), total)
    assert (declaration().kind, total.kind) == (Kind.INT, Kind.DECIMAL)


def test_units_follow_from_what_is_aggregated_and_windows_from_names() -> None:
    assert unit_of(Aggregate.COUNT, None, KIND) == "times"
    assert unit_of(Aggregate.DAYS_SINCE, None, KIND) == "days"
    assert unit_of(Aggregate.SUM, "amount", KIND) == "bank_currency"
    assert unit_of(Aggregate.MEAN, "data.minutes", KIND) == "min"
    names = ("logins_30d", "revenue_12m", "aum", "aum_peak_24m")
    assert [window_of(name) for name in names] == [30, 365, None, None]
