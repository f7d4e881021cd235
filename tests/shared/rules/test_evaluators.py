"""L1 and L2: the batch and the single customer agree, and both follow SQL."""

from collections.abc import Mapping, Sequence

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rules import (
    Kind,
    Ladder,
    Level,
    compile_levels,
    compile_single,
    compile_tuple,
    compile_values,
    parse,
    parse_value,
)
from shared.rules.columns import levels_to_polars, to_polars, value_to_polars
from tests.shared.rules.builders import CATALOGUE, customers, rules, values

TYPES = {
    Kind.NUMBER: pl.Float64,
    Kind.BOOLEAN: pl.Boolean,
    Kind.TEXT: pl.String,
    Kind.DATE: pl.Date,
}
SCHEMA = pl.Schema(
    {entry.name: TYPES[entry.type.kind] for entry in CATALOGUE} | {"count": pl.Int64}
)

Customer = Mapping[str, object]


def frame(rows: Sequence[Customer]) -> pl.DataFrame:
    return pl.DataFrame({name: [row.get(name) for row in rows] for name in SCHEMA}, schema=SCHEMA)


def one(text: str, customer: Customer) -> bool | None:
    return compile_single({"rule": parse(text, CATALOGUE)})(customer)["rule"]


def batch(text: str, rows: Sequence[Customer]) -> list[bool | None]:
    expression = to_polars(parse(text, CATALOGUE)).alias("rule")
    return frame(rows).with_columns(expression)["rule"].to_list()


@settings(max_examples=300, deadline=None)
@given(rules, st.lists(customers, min_size=1, max_size=8))
def test_l1_the_batch_and_one_customer_agree(text: str, rows: list[Customer]) -> None:
    assert batch(text, rows) == [one(text, row) for row in rows]


@settings(max_examples=40, deadline=None)
@given(st.lists(rules, min_size=1, max_size=20), customers)
def test_l1_many_rules_in_one_function_answer_as_each_alone(
    texts: list[str], customer: Customer
) -> None:
    together = {str(place): parse(text, CATALOGUE) for place, text in enumerate(texts)}
    names = [entry.name for entry in CATALOGUE]
    by_place = compile_tuple(list(together.values()), names)

    answers = compile_single(together)(customer)

    assert list(answers.values()) == [one(text, customer) for text in texts]
    assert by_place([customer[name] for name in names]) == tuple(answers.values())


@settings(max_examples=60, deadline=None)
@given(st.lists(rules, min_size=1, max_size=4), st.one_of(st.none(), rules), st.data())
def test_l1_levels_agree_too(texts: list[str], applies: str | None, data: st.DataObject) -> None:
    rows = data.draw(st.lists(customers, min_size=1, max_size=5))
    levels = [Level(f"level_{place}", parse(text, CATALOGUE)) for place, text in enumerate(texts)]
    ladder = Ladder((*levels, Level("rest")), parse(applies, CATALOGUE) if applies else None)

    together = frame(rows).with_columns(levels_to_polars(ladder).alias("level"))["level"].to_list()
    evaluate = compile_levels({"level": ladder})

    assert together == [evaluate(row)["level"] for row in rows]


@pytest.mark.parametrize("texts", [["TRUE", "0 = amount"], ["0 = amount", "FALSE", "TRUE"]])
@pytest.mark.parametrize("applies", [None, "TRUE", "FALSE", "0 = amount"])
def test_l1_a_constant_rule_answers_for_every_customer(texts, applies) -> None:
    levels = [Level(f"level_{place}", parse(text, CATALOGUE)) for place, text in enumerate(texts)]
    ladder = Ladder(tuple(levels), parse(applies, CATALOGUE) if applies else None)
    rows = [dict.fromkeys((entry.name for entry in CATALOGUE), None) for _ in range(2)]
    rows[1] |= {"amount": 0.0}

    together = frame(rows).with_columns(levels_to_polars(ladder).alias("level"))["level"].to_list()

    assert together == [compile_levels({"level": ladder})(row)["level"] for row in rows]


@settings(max_examples=200, deadline=None)
@given(rules)
def test_the_canonical_text_says_the_same_and_stays_the_same(text: str) -> None:
    rule = parse(text, CATALOGUE)
    again = parse(rule.canonical, CATALOGUE)

    assert again.tree == rule.tree
    assert again.canonical == rule.canonical


L2_TABLE: list[tuple[str, Customer, bool | None]] = [
    ("count != 1", {}, None),
    ("count != 1", {"count": 2}, True),
    ("NOT count = 1", {}, None),
    ("count = 1 OR count != 1", {}, None),
    ("count = 1 OR is_open", {"is_open": True}, True),
    ("count = 1 AND is_open", {"is_open": False}, False),
    ("count = 1 AND is_open", {"is_open": True}, None),
    ("count IS NULL", {}, True),
    ("count IS NOT NULL", {}, False),
    ("count IN (1, 2)", {}, None),
    ("count NOT IN (1, 2)", {}, None),
    ("count NOT IN (1, 2)", {"count": 3}, True),
    ("count BETWEEN 1 AND 3", {"count": 1}, True),
    ("count BETWEEN 1 AND 3", {"count": 3}, True),
    ("count BETWEEN 1 AND 3", {"count": 4}, False),
    ("count BETWEEN amount AND 3", {"count": 4}, False),
    ("count BETWEEN amount AND 3", {"count": 2}, None),
    ("count NOT BETWEEN amount AND 3", {"count": 4}, True),
    ("amount / count > 1", {"amount": 1.0, "count": 0}, None),
    ("amount / count IS NULL", {"amount": 1.0, "count": 0}, True),
    ("amount / count = 0.5", {"amount": 1.0, "count": 2}, True),
    ("count / 2 = 0.5", {"count": 1}, True),
    ("amount > 1", {"amount": float("nan")}, None),
    ("amount - amount = 0", {"amount": float("inf")}, None),
    ("amount = 0", {"amount": -0.0}, True),
    ("amount IN (0)", {"amount": -0.0}, True),
    ("-amount = 0", {"amount": 0.0}, True),
    ("-amount IS NULL", {}, True),
    ("amount + 0.1 = 0.3", {"amount": 0.2}, False),
    ("is_open", {}, None),
    ("NOT is_open", {}, None),
    ("NOT is_open", {"is_open": False}, True),
    ("is_open = true", {}, None),
    ("is_open != has_card", {"is_open": True, "has_card": False}, True),
    ("colour <> 'red'", {}, None),
    ("colour <> 'red'", {"colour": "blue"}, True),
    ("note < 'a'", {"note": "Z"}, True),
    ("note > 'z'", {"note": "é"}, True),
    ("note > '\uffff'", {"note": "𝄞"}, True),
    ("note = ''", {"note": ""}, True),
    ("note = ''", {}, None),
    ("note LIKE 'a%'", {"note": "abc"}, True),
    ("note LIKE '_'", {"note": "𝄞"}, True),
    ("note LIKE '_'", {"note": "ab"}, False),
    ("note LIKE '%.%'", {"note": "axb"}, False),
    ("note LIKE 'a%b'", {"note": "a\nb"}, True),
    ("note LIKE 'a'", {"note": "a\n"}, False),
    (r"note LIKE '50\%'", {"note": "50%"}, True),
    (r"note LIKE '50\%'", {"note": "500"}, False),
    ("note LIKE '%a%b'", {"note": "ab ab"}, True),
    ("note NOT LIKE 'a%'", {}, None),
    ("note NOT LIKE 'a%'", {"note": "ab"}, False),
    ("NOT note NOT LIKE 'a%'", {"note": "ab"}, True),
    ("born < '2000-01-01'", {}, None),
    ("TRUE", {}, True),
    ("NOT TRUE", {}, False),
    ("amount > 1 AND count > 1 OR is_open", {"amount": 0.0, "is_open": True}, True),
    ("amount - 1 - 1 = 1", {"amount": 3.0}, True),
    ("amount / 2 / 2 = 1", {"amount": 4.0}, True),
    ("amount - (1 - 1) = 4", {"amount": 4.0}, True),
    ("2 * amount + 1 = 9", {"amount": 4.0}, True),
]


@pytest.mark.parametrize(("text", "customer", "truth"), L2_TABLE)
def test_l2_missing_values_follow_sql(text: str, customer: Customer, truth: bool | None) -> None:
    assert one(text, customer) is truth
    assert batch(text, [customer]) == [truth]


def test_the_first_true_level_counts_and_the_last_takes_the_rest() -> None:
    ladder = Ladder(
        (
            Level("large", parse("amount >= 100", CATALOGUE)),
            Level("medium", parse("amount >= 10", CATALOGUE)),
            Level("small"),
        ),
        parse("count IS NOT NULL", CATALOGUE),
    )
    evaluate = compile_levels({"size": ladder})

    def size(amount: float | None, count: int | None = 1) -> str | None:
        return evaluate({"amount": amount, "count": count})["size"]

    assert [size(100), size(99.99), size(10), size(9), size(None)] == [
        "large",
        "medium",
        "medium",
        "small",
        "small",
    ]
    assert size(100, count=None) is None
    assert ladder.dependencies == {"amount", "count"}


@settings(max_examples=100, deadline=None)
@given(st.lists(values, min_size=1, max_size=3), st.lists(customers, min_size=1, max_size=6))
def test_l1_numbers_agree_too(texts: list[str], rows: list[Customer]) -> None:
    read = {str(place): parse_value(text, CATALOGUE) for place, text in enumerate(texts)}
    columns = (value_to_polars(value).alias(name) for name, value in read.items())
    found = frame(rows).with_columns(columns).select(list(read))
    evaluate = compile_values(read)

    assert found.to_dicts() == [evaluate(row) for row in rows]


def test_l2_a_number_over_what_is_missing_is_missing_and_so_is_one_over_zero() -> None:
    read = {"share": parse_value("amount / count", CATALOGUE)}

    answers = [compile_values(read)(row) for row in ({"amount": 1}, {"amount": 1, "count": 0})]
    assert answers == [{"share": None}, {"share": None}]
    assert compile_values(read)({"amount": 3.0, "count": 2}) == {"share": 1.5}


def test_l1_a_column_is_divided_by_a_number_to_the_last_bit() -> None:
    rows = [{"amount": place / 7} for place in range(1_000)]
    value = parse_value("amount / 210839", CATALOGUE)
    found = pl.DataFrame(rows).select(value_to_polars(value).alias("0"))

    assert found.to_dicts() == [compile_values({"0": value})(row) for row in rows]
