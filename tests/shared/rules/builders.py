"""Random rules and customers over a small catalogue that has every type."""

from datetime import date, timedelta

from hypothesis import strategies as st

from shared.rules import Attribute, AttributeType, Catalogue

COLOURS = ("red", "green", "blue", "深蓝")
CUTS = (-1.0, 0.0, 0.5, 1.0, 3.0, 50_000.0)

CATALOGUE = Catalogue(
    [
        Attribute("amount", AttributeType.DECIMAL),
        Attribute("count", AttributeType.INT),
        Attribute("share", AttributeType.RATIO),
        Attribute("is_open", AttributeType.BOOL),
        Attribute("has_card", AttributeType.BOOL),
        Attribute("colour", AttributeType.ENUM, COLOURS),
        Attribute("note", AttributeType.TEXT),
        Attribute("label", AttributeType.TEXT),
        Attribute("born", AttributeType.DATE),
    ]
)

_numbers = st.one_of(
    st.sampled_from(CUTS),
    st.sampled_from([-0.0, float("nan"), float("inf"), float("-inf"), 1e300, 1e-300, 0.1]),
    st.floats(allow_nan=True, width=64),
)
_texts = st.text(st.sampled_from("ab_%.\\\n'é深𝄞Z"), max_size=6)
_dates = st.integers(-3, 3).map(lambda days: date(2024, 2, 29) + timedelta(days))


def _or_missing(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.one_of(st.none(), values)


customers = st.fixed_dictionaries(
    {
        "amount": _or_missing(_numbers),
        "count": _or_missing(st.sampled_from([-1, 0, 1, 3, 2**53 + 1])),
        "share": _or_missing(_numbers),
        "is_open": _or_missing(st.booleans()),
        "has_card": _or_missing(st.booleans()),
        "colour": _or_missing(st.sampled_from(COLOURS)),
        "note": _or_missing(_texts),
        "label": _or_missing(_texts),
        "born": _or_missing(_dates),
    }
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_literal_numbers = st.one_of(
    st.sampled_from(["0", "1", "-1", "0.5", "3", "50000", "1e3"]),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: f"{number:.6f}"),
)
_plain_values = st.one_of(st.sampled_from(["amount", "count", "share"]), _literal_numbers)
values = st.recursive(
    _plain_values,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda part: f"({' '.join(part)})"),
        inner.map(lambda value: f"(- {value})"),
    ),
    max_leaves=4,
)
_comparators = st.sampled_from(["=", "!=", "<>", "<", "<=", ">", ">="])
_equalities = st.sampled_from(["=", "!="])
_written_texts = _texts.map(quoted)
_written_dates = _dates.map(lambda day: quoted(day.isoformat()))


def _list(entries: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(entries, min_size=1, max_size=4).map(", ".join)


_tests = st.one_of(
    st.tuples(values, _comparators, values).map(" ".join),
    st.tuples(values, values, values).map(lambda p: f"{p[0]} BETWEEN {p[1]} AND {p[2]}"),
    st.tuples(st.sampled_from(["amount", "count + share"]), _list(_literal_numbers)).map(
        lambda p: f"{p[0]} IN ({p[1]})"
    ),
    st.sampled_from(["amount", "share / count", "is_open", "colour", "note", "born"]).map(
        lambda value: f"{value} IS NULL"
    ),
    st.sampled_from(["is_open", "has_card", "is_open = has_card", "is_open != true", "TRUE"]),
    st.tuples(_equalities, st.sampled_from(COLOURS)).map(lambda p: f"colour {p[0]} '{p[1]}'"),
    _list(st.sampled_from(COLOURS).map(quoted)).map(lambda values: f"colour NOT IN ({values})"),
    st.tuples(_comparators, st.one_of(st.just("label"), _written_texts)).map(
        lambda p: f"note {p[0]} {p[1]}"
    ),
    _written_texts.map(lambda pattern: f"note LIKE {pattern}"),
    st.tuples(_comparators, _written_dates).map(lambda p: f"born {p[0]} {p[1]}"),
    st.tuples(_written_dates, _written_dates).map(lambda p: f"born BETWEEN {p[0]} AND {p[1]}"),
)
rules = st.recursive(
    _tests,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR", "AND -- so\n"]), inner).map(
            lambda p: f"({' '.join(p)})"
        ),
        inner.map(lambda rule: f"NOT {rule}"),
    ),
    max_leaves=6,
)
