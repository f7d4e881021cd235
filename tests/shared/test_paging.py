"""Cursors: they come back as they went, and what somebody made up is refused (A10)."""

import base64
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed
from shared.paging import decode_cursor, encode_cursor, moment, text

AT = datetime(2026, 3, 4, 10, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


def forged(key: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(key)).decode().rstrip("=")


def test_a10_a_cursor_comes_back_as_the_key_it_was_made_of() -> None:
    assert decode_cursor(encode_cursor("a", 0.5, 7), text, float, int) == ("a", 0.5, 7)
    assert decode_cursor(encode_cursor(AT, "b"), moment, text) == (AT.astimezone(UTC), "b")
    assert decode_cursor(encode_cursor(date(2026, 3, 4)), date.fromisoformat) == (date(2026, 3, 4),)
    assert decode_cursor(None, text) is None


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        (["a"], (text, text)),
        (["a", "b"], (text,)),
        ({"a": 1}, (text,)),
        ("a", (text,)),
        ([1], (text,)),
        ([None], (text,)),
        (["a\0"], (text,)),
        (["2026-03-04T10:00:00"], (moment,)),
        (["0001-01-01T00:00:00+14:00"], (moment,)),
        (["soon"], (moment,)),
        ([[]], (float,)),
        (["x"], (int,)),
    ],
)
def test_a10_a_cursor_of_another_shape_is_refused(key: Any, parts: Any) -> None:
    with pytest.raises(Malformed):
        decode_cursor(forged(key), *parts)


@pytest.mark.parametrize("cursor", ["", "?", "!!!", "e30", "x" * 1000, "é", "W10="])
def test_a10_what_is_no_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Malformed):
        decode_cursor(cursor, text)


@given(st.lists(json, max_size=3))
def test_a10_whatever_somebody_makes_up_is_read_or_refused(key: list[Any]) -> None:
    try:
        found = decode_cursor(forged(key), moment, text)
    except (Malformed, orjson.JSONEncodeError):
        return
    assert found is not None
    assert found[0].tzinfo is UTC
